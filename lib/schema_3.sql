-- What version 3 of the database adds: the livepatch workflow. See tuxtape-database(5). Nothing here refers to the parser's tables.

-- A livepatch: for one CVE, one fix commit and one target, which is "config NAME" or "version X.Y.Z". state: 1 submitted,
-- 2 approved, 3 rejected, 4 withdrawn. From revision on, columns tell of the newest revision.
CREATE TABLE patch (
  target TEXT NOT NULL,
  patch INTEGER PRIMARY KEY AUTOINCREMENT,
  cve_id TEXT NOT NULL,
  fix_commit TEXT NOT NULL,
  title TEXT NOT NULL,
  config TEXT,
  version__major INTEGER NOT NULL,
  version__minor INTEGER NOT NULL,
  version__patch INTEGER,
  version__stable INTEGER,
  version__rc INTEGER,
  ref TEXT NOT NULL,
  state INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  author TEXT NOT NULL,
  submitted_at TEXT NOT NULL,
  approvals INTEGER NOT NULL,
  apply INTEGER,
  blocks INTEGER NOT NULL,
  warns INTEGER NOT NULL,
  reviews INTEGER NOT NULL,
  self_reviewed INTEGER NOT NULL,
  UNIQUE (cve_id, fix_commit, target)
);

-- All fix commits of the CVE that the newest revision holds.
CREATE TABLE patch_commit (
  patch INTEGER NOT NULL REFERENCES patch,
  fix_commit TEXT NOT NULL,
  PRIMARY KEY (patch, fix_commit)
) WITHOUT ROWID;

-- Every revision, with what the server found when it came: a packed PatchCheck.
CREATE TABLE patch_revision (
  patch INTEGER NOT NULL REFERENCES patch,
  revision INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  author TEXT NOT NULL,
  nameless INTEGER NOT NULL,
  submitted_at TEXT NOT NULL,
  note BLOB,
  checked BLOB NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (patch, revision)
);

-- kind: 1 approve, 2 reject.
CREATE TABLE patch_review (
  review INTEGER PRIMARY KEY AUTOINCREMENT,
  patch INTEGER NOT NULL REFERENCES patch,
  revision INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  reviewer TEXT NOT NULL,
  kind INTEGER NOT NULL,
  comment BLOB,
  reviewed_at TEXT NOT NULL,
  self_review INTEGER NOT NULL,
  accepted_unchecked INTEGER NOT NULL
);
CREATE INDEX patch_review_by_patch ON patch_review (patch, review);

-- The audit log: entry N's head is the SHA-256 of its `previous`, a line feed and `what`; previous is the head of entry N - 1.
CREATE TABLE audit (
  entry INTEGER PRIMARY KEY,
  previous TEXT NOT NULL,
  what TEXT NOT NULL,
  head TEXT NOT NULL
);
CREATE TRIGGER audit_is_final BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
