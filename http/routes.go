package http

import (
	"sharpie/actors"
	"sharpie/experiments/supply"
)

// uploadPath takes experiment files, and larger bodies than the rest.
const uploadPath = "/admin/experiments"

// routes lists every address of the server.
func (s *Server) routes() {
	a := s.app
	a.Use(s.begin)
	a.Get("/healthz", s.healthz)
	a.Get("/readyz", s.readyz)
	a.Get("/metrics", s.metricsHandler())
	a.Use(s.headers)
	a.Get("/static/*", s.assets.serve)
	a.Get("/favicon.ico", s.noIcon)
	a.Use(s.limitBody, s.checkOrigin, s.checkFormToken)

	a.Get("/", s.home)
	a.Get("/register", s.registerPage)
	a.Post("/register", s.register)
	a.Get("/login", s.loginPage)
	a.Post("/login", s.login)
	a.Post("/logout", s.logout)
	a.Get("/once/:token", s.oncePage)
	a.Post("/once/:token", s.once)
	a.Get("/profile", s.member(s.profilePage))
	a.Post("/profile/password", s.member(s.changePassword))
	a.Post("/consents/:id/withdraw", s.member(s.withdraw))

	a.Get("/x/:link", s.experimentPage)
	a.Get("/x/:link/lobby", s.lobby)
	a.Get("/x/:link/consent", s.member(s.consentPage))
	a.Post("/x/:link/consent", s.member(s.consent))
	a.Post("/x/:link/join", s.member(s.join))
	a.Get("/check/socket", s.beforeSocket, s.upgrade(kindCheck, s.check))

	key := s.runnerKey() // one for all: they share what counts wrong keys
	a.Get(actors.NodePath, s.runnerUpgrade, key, s.runnerSocket())
	a.Get(supply.ExperimentsPath, key, s.runnerExperiments())
	a.Get(supply.BundlesPath+":hash", key, s.runnerBundle())

	a.Get("/s/:session", s.member(s.playPage))
	a.Get("/s/:session/socket", s.beforeSocket, s.findTarget, s.upgrade(kindPlay, s.play))
	a.Get("/s/:session/lobby", s.member(s.waitingRoom))
	a.Get("/s/:session/thanks", s.member(s.thanksPage))
	a.Post("/s/:session/leave", s.member(s.leave))

	a.Get("/admin", s.admin(s.adminHome))
	a.Get("/admin/experiments", s.admin(s.adminExperiments))
	a.Post(uploadPath, s.admin(s.upload))
	a.Post(folderPath, s.admin(s.uploadFolder))
	a.Get("/admin/experiments/:link", s.admin(s.adminExperiment))
	a.Get("/admin/experiments/:link/checkpoint", s.admin(s.downloadCheckpoint))
	a.Post("/admin/experiments/:link/enable", s.admin(s.setEnabled(true)))
	a.Post("/admin/experiments/:link/disable", s.admin(s.setEnabled(false)))
	a.Get("/admin/sessions", s.admin(s.adminSessions))
	a.Get("/admin/sessions/:session", s.admin(s.adminSession))
	a.Get("/admin/sessions/:session/episodes/:episode", s.admin(s.adminEpisode))
	a.Post("/admin/sessions/:session/abort", s.admin(s.abort))
	a.Get("/admin/runners", s.admin(s.adminRunners))
	a.Post("/admin/runners", s.admin(s.makeRunnerKey))
	a.Get("/admin/runners/keys/:id", s.admin(s.adminRunnerKey))
	a.Post("/admin/runners/keys/:id/revoke", s.admin(s.revokeRunnerKey))
	a.Get("/admin/users", s.admin(s.adminUsers))
	a.Post("/admin/users/:id/admin", s.admin(s.setAdmin))
	a.Post("/admin/users/:id/disabled", s.admin(s.setDisabled))
	a.Get("/admin/events", s.admin(s.adminEvents))

	a.Use(s.noPage)
}
