package plan

import (
	"ackdb/server/sql/catalog"
	"ackdb/server/sql/parse"
	"ackdb/server/sql/types"
)

func (s *altering) addIdentity(cmd *parse.AlterTableCmd) error {
	i, err := s.column(cmd.Name)
	if err != nil {
		return err
	}
	c := &s.t.Columns[i]
	bad := func(what string) error {
		return types.Errorf(codeNotInState, "column \"%s\" of relation \"%s\" %s", c.Name, s.t.Name, what)
	}
	switch {
	case keyClass(c.Type.OID) != types.Int8:
		return types.Errorf(types.CodeInvalidParameter,
			"identity column type must be smallint, integer, or bigint")
	case !c.NotNull:
		return bad("must be declared NOT NULL before identity can be added")
	case c.Identity != "":
		return bad("is already an identity column")
	case c.Default != "":
		return bad("already has a default value")
	}
	return s.identity(i, cmd.Constraint)
}

// setIdentity changes how an identity column is generated, and its sequence.
func (s *altering) setIdentity(cmd *parse.AlterTableCmd) error {
	i, err := s.column(cmd.Name)
	if err != nil {
		return err
	}
	c := &s.t.Columns[i]
	q := s.a.usedRelation(c.IdentitySequence).Sequence
	if c.Identity == "" || q == nil {
		return s.noIdentity(c)
	}
	var options []parse.DefElem
	for _, option := range cmd.Options {
		if option.Name != "generated" {
			options = append(options, option)
			continue
		}
		c.Identity = catalog.IdentityByDefault
		if when, ok := option.Arg.(*parse.Const); ok && when.Int == 'a' {
			c.Identity = catalog.IdentityAlways
		}
	}
	if options == nil {
		return nil
	}
	alter, err := s.a.changedSequence(q, options)
	if err != nil {
		return err
	}
	s.node.Sequences = append(s.node.Sequences, alter)
	return nil
}

// retypeIdentity gives the sequence of an identity column the type the column has now.
func (s *altering) retypeIdentity(c *catalog.Column) error {
	q := s.a.usedRelation(c.IdentitySequence).Sequence
	if c.Identity == "" || q == nil || q.TypeOID == c.Type.OID {
		return nil
	}
	typed := *q
	typed.TypeOID = c.Type.OID
	o := &sequenceOpts{}
	retypeSequence(q, &typed, o)
	s.node.Sequences = append(s.node.Sequences, &AlterSequence{Sequence: &typed})
	return s.a.settleSequence(&typed, o)
}

func (s *altering) noIdentity(c *catalog.Column) error {
	return types.Errorf(codeNotInState,
		"column \"%s\" of relation \"%s\" is not an identity column", c.Name, s.t.Name)
}

func (s *altering) dropIdentity(cmd *parse.AlterTableCmd) error {
	i, err := s.column(cmd.Name)
	if err != nil {
		return err
	}
	c := &s.t.Columns[i]
	if c.Identity == "" {
		if cmd.MissingOK {
			s.p.notice("00000", "column \"%s\" of relation \"%s\" is not an identity column, skipping",
				c.Name, s.t.Name)
			return nil
		}
		return s.noIdentity(c)
	}
	if q := s.a.env.Catalog.SequenceByOID(c.IdentitySequence); q != nil {
		s.node.DropSequences = append(s.node.DropSequences, q)
	}
	c.Identity, c.IdentitySequence = "", 0
	return nil
}
