package jepsenlite

// receipts holds the next server to what it said of each receipt (J8). A verdict is for ever, so
// one that what is there contradicts is a lie at once, not only later.
func (j *judge) receipts(survivors map[int]int) {
	for _, e := range j.verdicts {
		there, known := j.there(e, survivors)
		if !known {
			j.breach("J8 round %d session %d: transaction %d was judged and never acknowledged",
				j.Rounds, e.Session, e.N)
			continue
		}
		switch e.How {
		case "durable":
			j.CalledDurable++
		case "lost":
			j.CalledLost++
		}
		if said := e.How == "durable"; said != there || !said && e.How != "lost" {
			j.breach("J8 round %d session %d: transaction %d was judged %q by its receipt %s;"+
				" it is there: %v", j.Rounds, e.Session, e.N, e.How, e.Token, there)
		}
	}
}

// there says whether the transaction of the verdict survived, and whether it was acknowledged.
func (j *judge) there(e Event, survivors map[int]int) (there, known bool) {
	for i, txn := range j.track(e.Session).since {
		if txn.N == e.N {
			return i < survivors[e.Session], txn.Token == e.Token && e.Token != ""
		}
	}
	return false, false
}
