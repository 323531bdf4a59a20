package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/experiments"
	"sharpie/persistence"
)

// document is the session as it is stored.
func (s *session) document() persistence.Session {
	d := persistence.Session{
		ID: s.id, Experiment: s.link, ExperimentVersion: s.version, Room: s.room, Phase: string(s.machine.phase),
		Reason: s.reason, Episodes: s.begun, OpenedAt: s.opened, StartedAt: s.started, EndedAt: s.ended, Node: s.cast.cfg.Node,
		Seats: make([]persistence.Seat, len(s.seats)),
	}
	for i, st := range s.seats {
		d.Seats[i] = persistence.Seat{Role: string(st.agent.Role), Participant: st.participant, User: st.user, JoinedAt: st.joined, LeftAt: st.left}
	}
	return d
}

// event records that something happened. who is a user's name; "" is the system.
func (s *session) event(kind, role, who string, detail persistence.Document) {
	if who == "" {
		who = "system"
	}
	e := &persistence.Event{ID: persistence.NewID("ev"), At: time.Now().UTC(), Kind: kind, Actor: who, SessionID: s.id, Role: role, Detail: detail}
	if s.episode != nil && !s.episode.over {
		e.EpisodeID = s.episode.doc.ID
	}
	if s.recorder != nil {
		s.cast.root.Send(s.recorder, &putEvents{events: []*persistence.Event{e}})
	}
}

// fault records that a part of the platform failed.
func (s *session) fault(part, detail string) {
	s.log.Error("fault", "part", part, "detail", detail)
	s.cast.metrics.faults.WithLabelValues(part).Inc()
	s.event("fault", "", "", persistence.Document{"part": part, "detail": detail})
}

// lateFeedback keeps what people said about the last transition, after it.
func (s *session) lateFeedback(ctx actor.Context, all []*messages.Feedback) {
	for _, f := range all {
		if int(f.GetRole()) >= len(s.def.Agents) {
			continue
		}
		detail := persistence.Document{"step": int64(s.episode.step)}
		if f.HumanReward != nil {
			detail["human_reward"] = f.GetHumanReward()
			ctx.Send(s.recorder, &feedback{role: int(f.GetRole()), reward: f.GetHumanReward()})
		}
		var inputs []any
		for _, u := range f.GetInputs() {
			in := u.GetInput()
			inputs = append(inputs, persistence.Document{"seq": int64(in.GetSeq()), "step_seen": int64(in.GetStepSeen()), "keys": anySlice(in.GetKeys()),
				"client_time_us": in.GetClientTimeUs(), "client_offset_us": in.GetClientOffsetUs(), "server_received_us": in.GetServerReceivedUs()})
		}
		if inputs != nil {
			detail["inputs"] = inputs
		}
		s.event("feedback", string(s.def.Agents[f.GetRole()].Role), "participant", detail)
	}
}

// ai reports whether a policy takes the seats that are given up.
func (s *session) ai() bool { return s.def.Experiment.OnDropOut == experiments.DropOutAI }

// view is the session as Admin sees it.
func (s *session) view() SessionView {
	v := SessionView{
		ID: s.id, Experiment: s.link, Version: s.version, Room: s.room, Phase: string(s.machine.phase), Since: s.since, Deadline: s.deadline,
		Episode: s.begun, Episodes: s.def.Experiment.NumberOfEpisodes, Unstored: s.unstored, Problem: s.problem, OpenedAt: s.opened, Seats: make([]SeatView, len(s.seats)),
	}
	if s.episode != nil {
		v.Step = int64(s.episode.step)
	}
	if s.runner != nil {
		v.Runner = s.runnerID
	}
	for i, st := range s.seats {
		v.Seats[i] = SeatView{Role: string(st.agent.Role), Name: seatName(st), Participant: st.participant, UserName: st.userName,
			State: seatStates[st.state(s.ai())], RTT: st.rtt, Left: st.replaced}
	}
	return v
}

// seatStates are the words of SeatView.State.
var seatStates = [...]string{"free", "taken", "here", "away", "ai"}
