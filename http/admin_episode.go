package http

import (
	"fmt"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"sharpie/persistence"
	"sharpie/web"
)

// statusFailed is the status of an episode whose code failed.
const statusFailed = "failed"

// adminEpisode shows one episode: how it went, where its code failed, and what
// that printed.
func (s *Server) adminEpisode(c *fiber.Ctx, _ *visitor) error {
	id, err := sessionID(c)
	if err != nil {
		return err
	}
	wanted := c.Params("episode")
	if !wellFormedID.MatchString(wanted) {
		return errNoPage
	}
	ctx := c.UserContext()
	all, err := s.cfg.Store.EpisodesOf(ctx, id)
	if err != nil {
		return fmt.Errorf("episodes of %s: %w", id, err)
	}
	var e *persistence.Episode
	var others []web.EpisodeLink
	for _, x := range all {
		if string(x.ID) == wanted {
			e = x
		}
		others = append(others, web.EpisodeLink{ID: string(x.ID), Index: x.Index, Failed: failed(x)})
	}
	if e == nil {
		return errNoPage
	}
	v := episodePage(e)
	v.Layout, v.Others, v.Name = s.layout(c), others, nameOr(s.namesIfThere(ctx), e.Experiment)
	return s.show(c, func() error { return s.cfg.Pages.AdminEpisode(c, v) })
}

func episodePage(e *persistence.Episode) web.AdminEpisodePage {
	v := web.AdminEpisodePage{
		EpisodeRow: episodeRow(e), Session: string(e.SessionID), Link: e.Experiment, Version: e.ExperimentVersion,
		Environment: e.Environment, CodeVersion: e.CodeVersion, BundleHash: e.BundleHash, Runner: string(e.Runner),
		Replayable: e.Replayable, Interpreter: e.Interpreter, Confinement: e.Confinement,
		ReasonCode: e.Reason.Code, ReasonDetail: e.Reason.Detail, ReasonShown: publicReason(e.Reason),
		Warnings: e.Warnings, Log: e.Log,
	}
	if e.EnvironmentCode != "" {
		v.Environment += " " + e.EnvironmentCode
	}
	if f := e.Fault; f != nil {
		v.Fault = &web.FaultView{State: f.State, Phase: f.Phase, Role: f.Role, Type: f.Type, Message: f.Message, Traceback: f.Traceback}
	}
	for _, r := range e.Runs {
		v.Runs = append(v.Runs, web.RunRow{Runner: string(r.Runner), FromStep: r.FromStep, Why: firstLine(r.Why)})
	}
	for _, r := range e.Roles {
		v.Cast = append(v.Cast, web.CastRow{
			Role: r.Role, Participant: string(r.Participant), Policy: r.Policy, PolicySource: r.PolicySource,
			PolicyVersion: r.PolicyVersion, InputsType: r.InputsType, Return: r.Return, HumanReturn: r.HumanReturn,
		})
	}
	return v
}

// episodeRow is an episode in its session's list.
func episodeRow(e *persistence.Episode) web.EpisodeRow {
	row := web.EpisodeRow{
		ID: string(e.ID), Index: e.Index, Attempt: e.Attempt, Seed: strconv.FormatUint(uint64(e.Seed), 10), Status: e.Status,
		Reason: firstLine(e.Reason.Detail), Steps: e.Steps, Stored: e.StoredSteps, StartedAt: e.ReceivedAt, EndedAt: e.EndedAt, Failed: failed(e),
	}
	if e.Fault != nil {
		row.FaultState = e.Fault.State
	}
	for _, r := range e.Roles {
		who := string(r.Participant)
		if who == "" {
			who = r.Policy
		}
		row.Returns = append(row.Returns, web.RoleReturn{Role: r.Role, Who: who, Value: r.Return})
	}
	return row
}

// failed says whether an episode ended because its code failed.
func failed(e *persistence.Episode) bool { return e.Fault != nil || e.Status == statusFailed }
