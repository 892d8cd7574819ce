"""Learning the words of a ticket fails no more where a text is longer than a vector holds."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_HEAD = """
CREATE OR REPLACE FUNCTION learn_ticket_words(
  tenant bigint, ticket bigint, opened timestamptz, person bigint, said text, noted text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
"""
_BODY = """
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
_MARKED = (
    "  marked text[] := ARRAY['t:' || tenant, 'd:' || floor(extract(epoch FROM opened) / 86400)::bigint];\n"
)
# What fails while variables get their first values is caught by no handler of the same block.
_LATER = f"{_HEAD}DECLARE\n  told tsvector;\n{_MARKED}BEGIN\n  told := lexemes_of(said);{_BODY}"
_AT_ONCE = f"{_HEAD}DECLARE\n  told tsvector := lexemes_of(said);\n{_MARKED}BEGIN{_BODY}"


def upgrade() -> None:
    op.execute(_LATER)


def downgrade() -> None:
    op.execute(_AT_ONCE)
