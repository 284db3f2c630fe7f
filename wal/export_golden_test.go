package wal

// Golden compares what the tests outside see with testdata.
var Golden = golden
