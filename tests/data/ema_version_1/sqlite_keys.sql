-- SPDX-License-Identifier: GPL-2.0-only
BEGIN TRANSACTION;
CREATE TABLE keys (tenant INTEGER PRIMARY KEY, key BLOB) STRICT;
CREATE TABLE schema_version(component TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
INSERT INTO "schema_version" VALUES('keys',1);
COMMIT;
