-- The file says whether it was closed cleanly, and which write-ahead log may stand beside it. A value sealed under
-- the master key shows whether a key file belongs to this database.
ALTER TABLE appliance ADD COLUMN closed_cleanly INTEGER NOT NULL DEFAULT 0 CHECK (closed_cleanly IN (0, 1));
ALTER TABLE appliance ADD COLUMN log_salt INTEGER;
ALTER TABLE appliance ADD COLUMN sealed_check BLOB;
