/**
 * Steps from an empty file to the present tables, in order; `user_version` in the file counts the ones done. A step that was
 * ever released is never edited: the next change is a new step at the end.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE document (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, key)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    list TEXT NOT NULL,
    value TEXT NOT NULL
  ) STRICT;
  CREATE INDEX entry_list ON entry (list, id)`,
]
