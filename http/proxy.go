package http

import (
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// client is where a request came from.
type client struct {
	ip    netip.Addr
	https bool
}

// bucket is the key under which the client's address is limited: the address,
// or for IPv6 the /64 that one household has to itself.
func (c client) bucket() string {
	if c.ip.Is6() {
		if p, err := c.ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return c.ip.String()
}

// clientOf reads the connection, and what trusted proxies say about it: the last
// address of X-Forwarded-For that is not itself a trusted proxy.
func (s *Server) clientOf(c *fiber.Ctx) client {
	remote, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	out := client{ip: remote.Unmap(), https: c.Context().IsTLS()}
	if !s.trusted(out.ip) {
		return out
	}
	out.https = out.https || strings.EqualFold(lastOf(c.Get(fiber.HeaderXForwardedProto)), "https")
	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		ip, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		out.ip = ip.Unmap()
		if !s.trusted(out.ip) {
			break
		}
	}
	return out
}

func (s *Server) trusted(ip netip.Addr) bool {
	for _, p := range s.proxies {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// lastOf is the last of a comma-separated list: what the nearest proxy said.
func lastOf(list string) string {
	return strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:])
}
