package server

import "runtime"

// Version is ackdb's own.
const Version = "0.1.0"

// serverVersion is what clients choose their catalog queries and features by: the release of
// Postgres whose behaviour is copied, with ours behind it where version parsers stop reading.
const (
	serverVersion    = "15.18 (ackdb " + Version + ")"
	serverVersionNum = "150018"
)

// The one role and the one database until roles exist.
const (
	superuser    = "postgres"
	databaseName = "postgres"
	superuserOID = 10
	databaseOID  = 5
)

// platform is what version() says the server runs on.
const platform = runtime.GOARCH + "-" + runtime.GOOS
