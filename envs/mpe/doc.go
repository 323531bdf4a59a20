// Package mpe holds two of the multi-agent particle environments,
// simple_spread_v3 and simple_tag_v3, with the dynamics of mpe2 (before it
// PettingZoo's MPE): Lowe et al., "Multi-Agent Actor-Critic for Mixed
// Cooperative-Competitive Environments" (2017) and Mordatch & Abbeel (2017).
// Roles, observations and rewards are mpe2's. It refuses mpe2's camera, which
// zooms to whoever is farthest away: the picture shows a fixed field, and marks at
// its border whoever has left it.
package mpe
