-- What version 2 of the database adds: what people and builders make of the fleet's configs. See tuxtape-database(5).

-- Every revision that a config ever had; those of deleted configs stay.
CREATE TABLE config_revision (
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  body BLOB NOT NULL,
  put_by TEXT,
  put_at TEXT,
  PRIMARY KEY (name, revision)
) WITHOUT ROWID;

-- The trees that builds were made from, and all paths in them.
CREATE TABLE tree (
  tree INTEGER PRIMARY KEY,
  commit_id TEXT NOT NULL UNIQUE,
  ref TEXT
);
CREATE TABLE tree_path (
  tree INTEGER NOT NULL REFERENCES tree ON DELETE CASCADE,
  path INTEGER NOT NULL REFERENCES path,
  PRIMARY KEY (tree, path)
) WITHOUT ROWID;
CREATE INDEX tree_path_by_path ON tree_path (path);

-- The build profile of a config: there only when the build was complete.
CREATE TABLE profile (
  config INTEGER PRIMARY KEY REFERENCES kernel_config ON DELETE CASCADE,
  tree INTEGER NOT NULL REFERENCES tree,
  revision INTEGER NOT NULL,
  builder TEXT,
  built_at TEXT,
  release TEXT,
  compiler TEXT,
  vmlinux_size INTEGER,
  build_id TEXT,
  compiled_files INTEGER,
  modules BLOB
);

-- The build queue. place: the lowest is given out first. lease_boot, lease_at: boot id of the machine and milliseconds of its boot
-- clock when the lease was given or renewed last, NULL when it was given up. state: 1 queued, 2 leased, 3 building, 4 done, 5 failed, 6 cancelled.
CREATE TABLE job (
  place INTEGER NOT NULL,
  lease_boot TEXT,
  lease_at INTEGER,
  job INTEGER PRIMARY KEY AUTOINCREMENT,
  config TEXT NOT NULL,
  revision INTEGER NOT NULL,
  version__major INTEGER NOT NULL,
  version__minor INTEGER NOT NULL,
  version__patch INTEGER,
  version__stable INTEGER,
  version__rc INTEGER,
  ref TEXT,
  state INTEGER NOT NULL,
  builder TEXT,
  attempt INTEGER NOT NULL,
  lost INTEGER NOT NULL,
  asked_by TEXT,
  queued_at TEXT,
  started_at TEXT,
  ended_at TEXT,
  phase TEXT,
  error TEXT,
  lines INTEGER NOT NULL
);
CREATE INDEX job_by_state ON job (state, place);
CREATE INDEX job_by_config ON job (config, job);

CREATE TABLE job_line (
  job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
  line INTEGER NOT NULL,
  text BLOB NOT NULL,
  PRIMARY KEY (job, line)
) WITHOUT ROWID;

-- The builders that are connected, or were.
CREATE TABLE builder (
  name TEXT NOT NULL PRIMARY KEY,
  cores INTEGER,
  compiler TEXT,
  program TEXT,
  address TEXT,
  connected INTEGER NOT NULL,
  worker INTEGER,
  job INTEGER,
  since TEXT,
  seen_at TEXT
) WITHOUT ROWID;
