package http

import (
	"time"

	"github.com/gofiber/contrib/websocket"
	"google.golang.org/protobuf/proto"

	"sharpie/actors"
	"sharpie/actors/play"
)

// checkMessages is how many messages a connection check may send.
const checkMessages = 100

// check answers Ping with Pong, so that the experiment page can say how good the
// connection is before anybody waits for it. It ends by itself.
func (s *Server) check(ws *socket) {
	end := time.AfterFunc(s.cfg.Limits.Check, func() {
		ws.closeWith(&actors.Close{Code: websocket.CloseNormalClosure, Text: "The check is over."})
		ws.wake()
	})
	defer end.Stop()
	left := checkMessages
	ws.closeWith(ws.read(func(message []byte) error {
		if left--; left < 0 {
			return &actors.Close{Code: 4007, Text: "That is enough for a check."}
		}
		var in play.ClientMessage
		if err := proto.Unmarshal(message, &in); err != nil || in.GetPing() == nil {
			return &actors.Close{Code: closeMalformed, Text: "Only Ping is understood here."}
		}
		out, err := proto.Marshal(&play.ServerMessage{Kind: &play.ServerMessage_Pong{Pong: &play.Pong{
			Id: in.GetPing().Id, ClientTimeUs: in.GetPing().ClientTimeUs, ServerTimeUs: s.cfg.Clock().UnixMicro(),
		}}})
		if err != nil {
			return err
		}
		if ws.send(out, nil) != nil {
			ws.wake() // the browser is gone
		}
		return nil
	}))
}
