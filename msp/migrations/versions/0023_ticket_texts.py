"""Full-text search over tickets: their words, and the two functions that alone read and write them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_TENANTS = """
CREATE FUNCTION tenants_in_force() RETURNS bigint[] LANGUAGE sql STABLE AS $$
  SELECT coalesce(nullif(current_setting('app.tenants', true), '')::bigint[], '{}')
$$
"""
_LEXEMES = """
CREATE FUNCTION lexemes_of(written text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
  SELECT strip(to_tsvector('indonesian', written) || to_tsvector('english', written) || to_tsvector('simple', written))
$$
"""
_QUESTION = r"""
CREATE FUNCTION question_of(phrase text) RETURNS tsquery LANGUAGE sql STABLE AS $$
  -- Places of words are not kept: words that belong together have to be there, in any order.
  SELECT regexp_replace((
    websearch_to_tsquery('indonesian', phrase) || websearch_to_tsquery('english', phrase)
    || websearch_to_tsquery('simple', phrase)
  )::text, '<(-|[0-9]+)>', '&', 'g')::tsquery
$$
"""
_BEGUN = r"""
CREATE FUNCTION question_begun(phrase text) RETURNS tsquery LANGUAGE plpgsql STABLE AS $$
DECLARE
  parts text[] := regexp_match(phrase, '^(|.*[[:space:]])([[:alnum:]]{3,})$');
BEGIN
  IF parts IS NULL THEN
    RETURN NULL;
  END IF;
  IF btrim(parts[1]) = '' THEN
    RETURN to_tsquery('simple', parts[2] || ':*');
  END IF;
  RETURN question_of(parts[1]) && to_tsquery('simple', parts[2] || ':*');
END $$
"""
_LEARN = """
CREATE FUNCTION learn_ticket_words(
  tenant bigint, ticket bigint, opened timestamptz, person bigint, said text, noted text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  told tsvector := lexemes_of(said);
  marked text[] := ARRAY['t:' || tenant, 'd:' || floor(extract(epoch FROM opened) / 86400)::bigint];
BEGIN
  IF NOT tenant = ANY (tenants_in_force()) THEN
    RAISE insufficient_privilege USING MESSAGE = 'a ticket of a tenant outside the scope';
  END IF;
  IF person IS NOT NULL THEN
    marked := marked || ('p:' || person);
  END IF;
  INSERT INTO ticket_texts AS kept (tenant_id, ticket_id, opened_at, marks, words, notes)
  VALUES (tenant, ticket, opened, marked, told, told || lexemes_of(noted))
  ON CONFLICT (tenant_id, ticket_id) DO UPDATE SET
    words = kept.words || excluded.words,
    notes = kept.notes || excluded.notes,
    marks = ARRAY(SELECT DISTINCT unnest(kept.marks || excluded.marks));
EXCEPTION WHEN program_limit_exceeded THEN
  -- A ticket with more different words than a vector holds keeps those that it has.
  NULL;
END $$
"""
_NEWEST = """
CREATE FUNCTION newest_tickets(asked tsquery, person bigint, most integer) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
  held bigint[] := tenants_in_force();
  looked_in text := CASE WHEN current_setting('role') = 'portal_client' THEN 'words' ELSE 'notes' END;
  needed text := '';
  statement text;
  found bigint[] := '{}';
  today bigint := floor(extract(epoch FROM now()) / 86400)::bigint + 1;
  days integer := 2;
BEGIN
  IF asked IS NULL OR numnode(asked) = 0 OR cardinality(held) = 0 THEN
    RETURN found;
  END IF;
  -- A few tenants are a set that the index narrows to; many are cheaper to look at row by row.
  IF cardinality(held) <= 40 THEN
    needed := ' AND x.marks && $3';
  END IF;
  IF person IS NOT NULL THEN
    needed := needed || ' AND x.marks @> $4';
  END IF;
  statement := 'SELECT coalesce(array_agg(f.ticket_id ORDER BY f.opened_at DESC, f.ticket_id DESC), ''{}'') FROM ('
    || format('SELECT x.ticket_id, x.opened_at FROM ticket_texts x WHERE x.%I @@ $1 AND x.tenant_id = ANY ($2)', looked_in)
    || needed || '%s ORDER BY x.opened_at DESC, x.ticket_id DESC LIMIT $5) f';
  -- Of a common word the last days are enough; then they need not all be sorted.
  FOR turn IN 1..3 LOOP
    EXECUTE format(statement, ' AND x.marks && $6') INTO found
    USING asked, held, (SELECT array_agg('t:' || one) FROM unnest(held) one), ARRAY['p:' || person], most,
      (SELECT array_agg('d:' || one) FROM generate_series(today - days + 1, today) one);
    IF cardinality(found) >= most THEN
      RETURN found;
    END IF;
    days := days * 8;
  END LOOP;
  EXECUTE format(statement, '') INTO found
  USING asked, held, (SELECT array_agg('t:' || one) FROM unnest(held) one), ARRAY['p:' || person], most;
  RETURN found;
END $$
"""
_SEARCH = """
CREATE FUNCTION search_tickets(phrase text, person bigint, most integer)
RETURNS TABLE (ticket_id bigint) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  asked tsquery := question_of(phrase);
  begun tsquery := question_begun(phrase);
  found bigint[] := newest_tickets(asked, person, most);
BEGIN
  -- The last word may not be typed to its end.
  IF cardinality(found) < most AND begun IS NOT NULL THEN
    found := newest_tickets(asked || begun, person, most);
  END IF;
  RETURN QUERY SELECT unnest(found);
END $$
"""


def upgrade() -> None:
    op.create_table(
        "ticket_texts",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("marks", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.Column("notes", postgresql.TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ticket_texts")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_ticket_texts_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_ticket_texts_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
    )
    op.create_index("uq_ticket_texts_ticket", "ticket_texts", ["tenant_id", "ticket_id"], unique=True)
    for column in ("words", "notes"):
        op.create_index(
            f"ix_ticket_texts_{column}", "ticket_texts", ["marks", column], postgresql_using="gin"
        )
    for function in (_TENANTS, _LEXEMES, _QUESTION, _BEGUN, _LEARN, _NEWEST, _SEARCH):
        op.execute(function)


def downgrade() -> None:
    op.execute("DROP FUNCTION search_tickets")
    op.execute("DROP FUNCTION newest_tickets")
    op.execute("DROP FUNCTION learn_ticket_words")
    op.execute("DROP FUNCTION question_begun")
    op.execute("DROP FUNCTION question_of")
    op.execute("DROP FUNCTION lexemes_of")
    op.execute("DROP FUNCTION tenants_in_force")
    op.drop_table("ticket_texts")
