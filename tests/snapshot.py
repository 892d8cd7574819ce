"""The cast's rows beside the tables: putting them back is ten times cheaper than cloning the database anew."""

from typing import Any

import psycopg

KEEP = """
CREATE SCHEMA cast_rows;
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('CREATE TABLE cast_rows.%I AS TABLE public.%I', 'kept_' || one.tablename, one.tablename);
  END LOOP;
END $$;
CREATE TABLE cast_rows.sequences AS
  SELECT sequencename AS name, coalesce(last_value, start_value) AS value, last_value IS NOT NULL AS is_called
  FROM pg_sequences WHERE schemaname = 'public';
CREATE FUNCTION cast_rows.restore() RETURNS void LANGUAGE plpgsql AS $$
DECLARE one record; columns text;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM public.%I', one.tablename);
    SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
      WHERE attrelid = format('public.%I', one.tablename)::regclass
      AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
    EXECUTE format('INSERT INTO public.%I (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM cast_rows.%I',
      one.tablename, columns, columns, 'kept_' || one.tablename);
  END LOOP;
  PERFORM setval(format('public.%I', name)::regclass, value, is_called) FROM cast_rows.sequences;
END $$;
"""


def keep(dsn: str, schema: str = "cast_rows") -> None:
    """Copy every row of a database, for it and its clones to come back to."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(KEEP.replace("cast_rows", schema))  # type: ignore[call-overload]


class Restorer:
    """A superuser's connection to one clone that puts the kept rows back."""

    def __init__(self, dsn: str, schema: str = "cast_rows") -> None:
        self._dsn, self._schema = dsn, schema
        self._connection: psycopg.Connection[Any] | None = None

    def restore(self) -> bool:
        """Put the rows back; False where somebody still holds a lock or changed the tables themselves."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self._dsn, options="-c lock_timeout=2s")
            with self._connection.transaction():
                self._connection.execute(f"SELECT {self._schema}.restore()")
        except psycopg.Error:
            self.close()
            return False
        return True

    def close(self) -> None:
        """Leave the clone."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
