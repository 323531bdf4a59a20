// Package http is the web server: pages, forms, the play socket, Admin, health
// and metrics, as a Fiber application.
//
// It owns who is asking (cookies, logins, passwords, form tokens, origins, rate
// limits), what an error looks like from outside (error.go, and nowhere else),
// and the bytes of a play socket between browser and actors. It sees the actors
// only through the façade actors.Platform, and data only through
// persistence.Store.
//
// It refuses: unsafe requests without a form token or from a foreign origin,
// sockets without a login or a seat, Admin to anyone without the role, bodies
// and messages over their size, and redirects that leave the site.
package http
