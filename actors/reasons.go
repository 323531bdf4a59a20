package actors

import "sharpie/persistence"

// The reasons why sessions and episodes end. Code is stored and stable; Public is
// the sentence that participants read.
var (
	reasonCompleted    = persistence.Reason{Code: "completed", Public: "All done. Thank you for taking part!"}
	reasonLobbyTimeout = persistence.Reason{Code: "lobby_timeout", Public: "Not enough people came in time."}
	reasonLeft         = persistence.Reason{Code: "left", Public: "You left the session."}
	reasonEverybody    = persistence.Reason{Code: "everybody_left", Public: "Everybody left."}
	reasonDroppedOut   = persistence.Reason{Code: "dropped_out", Public: "Somebody left, and the session could not go on."}
	reasonQueueTimeout = persistence.Reason{Code: "queue_timeout", Public: "All places to play were taken for too long."}
	reasonRunnerLost   = persistence.Reason{Code: "runner_lost", Public: "The computer that ran the game was lost."}
	reasonEpisodeTime  = persistence.Reason{Code: "episode_timeout", Public: "The time for this round is over."}
	reasonFailed       = persistence.Reason{Code: "failed", Public: "The experiment ran into a problem and had to stop. It was not your fault."}
	reasonAdmin        = persistence.Reason{Code: "aborted_by_admin", Public: "The researchers ended the session."}
	reasonStopping     = persistence.Reason{Code: "server_stopping", Public: "The server was stopped. Please come again in a moment."}
	reasonRestarted    = persistence.Reason{Code: "server_restarted", Public: "The server was restarted. Please start again."}
	reasonStoreAway    = persistence.Reason{Code: "store_away", Public: "The session could not be recorded any longer."}
	reasonRefused      = persistence.Reason{Code: "store_refused", Public: "The session could not be recorded."}
	reasonInternal     = persistence.Reason{Code: "internal", Public: "Something went wrong on our side."}
)

// with returns the reason with what the researcher shall know.
func with(r persistence.Reason, detail string) persistence.Reason {
	r.Detail = detail
	return r
}
