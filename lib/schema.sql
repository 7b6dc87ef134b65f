-- The database of tuxtape, version 1. Documented for other people's tools in tuxtape-database(5).
-- Columns named as fields of proto/tuxtape.proto belong to the mapper of lib/db.c; the others are keys.

-- What is known about the data: see tuxtape-database(5) for the keys.
CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

-- The parser's own tables. `cve` is year * 10^7 + number everywhere, so that keys sort as people expect.
CREATE TABLE cve (
  cve INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  title TEXT,
  description TEXT,
  severity REAL,
  vector TEXT,
  cvss_version TEXT,
  attack_vector TEXT,
  attack_complexity TEXT,
  privileges_required TEXT,
  user_interaction TEXT,
  scope TEXT,
  confidentiality_impact TEXT,
  integrity_impact TEXT,
  availability_impact TEXT,
  score_source TEXT,
  score_as_of TEXT,
  origin TEXT NOT NULL,
  -- The order in which people read: by severity, highest first, unscored last, then by year and number.
  rank INTEGER GENERATED ALWAYS AS ((1000 - CAST(round(coalesce(severity, -1) * 10) AS INTEGER)) * 1000000000000 + cve)
);
CREATE UNIQUE INDEX cve_by_rank ON cve (rank);

-- A dyad's pairs in line order.
CREATE TABLE cve_instance (
  cve INTEGER NOT NULL REFERENCES cve ON DELETE CASCADE,
  line INTEGER NOT NULL,
  title TEXT NOT NULL,
  introduced__major INTEGER,
  introduced__minor INTEGER,
  introduced__patch INTEGER,
  introduced__stable INTEGER,
  introduced__rc INTEGER,
  introduced_commit TEXT,
  fixed__major INTEGER,
  fixed__minor INTEGER,
  fixed__patch INTEGER,
  fixed__stable INTEGER,
  fixed__rc INTEGER,
  fix_commit TEXT,
  PRIMARY KEY (cve, line)
) WITHOUT ROWID;
CREATE INDEX cve_instance_by_fix ON cve_instance (fix_commit);

-- Paths are stored once.
CREATE TABLE path (
  path INTEGER PRIMARY KEY,
  name BLOB NOT NULL UNIQUE
);

-- The files that a CVE's own record names.
CREATE TABLE cve_file (
  cve INTEGER NOT NULL REFERENCES cve ON DELETE CASCADE,
  position INTEGER NOT NULL,
  path INTEGER NOT NULL REFERENCES path,
  PRIMARY KEY (cve, position)
) WITHOUT ROWID;
CREATE INDEX cve_file_by_path ON cve_file (path);

-- Scores are kept for CVEs that are not published (yet), too: NVD may know one first.
CREATE TABLE score (
  position INTEGER NOT NULL,
  cve_id TEXT NOT NULL,
  origin TEXT NOT NULL,
  source TEXT,
  type TEXT,
  version TEXT,
  vector TEXT,
  base_score REAL,
  reasoning TEXT,
  as_of TEXT,
  PRIMARY KEY (cve_id, origin, position)
) WITHOUT ROWID;

-- state: 1 stored, 2 missing from the clone, 3 root commit, 4 merge commit.
CREATE TABLE fix (
  fix INTEGER PRIMARY KEY,
  fix_commit TEXT NOT NULL UNIQUE,
  state INTEGER NOT NULL,
  subject BLOB,
  message BLOB,
  patch BLOB
);
CREATE INDEX fix_by_state ON fix (state);

-- created: 1 where the fix makes this file.
CREATE TABLE fix_file (
  fix INTEGER NOT NULL REFERENCES fix ON DELETE CASCADE,
  position INTEGER NOT NULL,
  path INTEGER NOT NULL REFERENCES path,
  created INTEGER NOT NULL,
  PRIMARY KEY (fix, position)
) WITHOUT ROWID;
CREATE INDEX fix_file_by_path ON fix_file (path);

-- What people make. Nothing here refers to the parser's tables, so that it outlives their rewriting.
CREATE TABLE kernel_config (
  config INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  version__major INTEGER NOT NULL,
  version__minor INTEGER NOT NULL,
  version__patch INTEGER,
  version__stable INTEGER,
  version__rc INTEGER,
  ref TEXT,
  revision INTEGER NOT NULL,
  body BLOB NOT NULL,
  put_by TEXT,
  put_at TEXT
);

-- The files that a config's build used. kind: 1 compiled, assembled or included, 2 by host programs only, 3 made by the build itself.
CREATE TABLE compiled_file (
  config INTEGER NOT NULL REFERENCES kernel_config ON DELETE CASCADE,
  path INTEGER NOT NULL REFERENCES path,
  kind INTEGER NOT NULL,
  PRIMARY KEY (config, path)
) WITHOUT ROWID;
CREATE INDEX compiled_file_by_path ON compiled_file (path);

-- For people with a sqlite3 shell: the instances with versions as text.
CREATE VIEW instance AS
SELECT c.id AS cve_id, i.line, i.title,
       coalesce(i.introduced__major || '.' || i.introduced__minor || coalesce('.' || i.introduced__patch, '') ||
                coalesce('.' || i.introduced__stable, '') || coalesce('-rc' || i.introduced__rc, ''), '0') AS introduced,
       i.introduced_commit,
       i.fixed__major || '.' || i.fixed__minor || coalesce('.' || i.fixed__patch, '') ||
       coalesce('.' || i.fixed__stable, '') || coalesce('-rc' || i.fixed__rc, '') AS fixed,
       i.fix_commit
  FROM cve_instance AS i JOIN cve AS c USING (cve);
