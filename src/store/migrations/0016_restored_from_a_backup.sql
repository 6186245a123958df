-- An appliance that was restored from a backup refuses older assertions, and tells operators what may have been undone.
ALTER TABLE appliance ADD COLUMN restored_at INTEGER;
ALTER TABLE appliance ADD COLUMN restore_report TEXT;
