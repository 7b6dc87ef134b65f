-- What version 4 of the database adds: when CVEs were published, and who told a tree's paths. See tuxtape-database(5).

ALTER TABLE cve ADD COLUMN published TEXT;

-- A row for each record of NVD's, those of CVEs that are not published by the kernel's CNA (yet) among them.
CREATE TABLE nvd_record (
  cve_id TEXT NOT NULL PRIMARY KEY,
  published TEXT
) WITHOUT ROWID;

-- What NVD said before this table was there has to be asked for again, from the beginning.
DELETE FROM meta WHERE key LIKE 'nvd_checkpoint%';

-- The builder that told the paths of a tree; NULL where that was not kept yet.
ALTER TABLE tree ADD COLUMN builder TEXT;
