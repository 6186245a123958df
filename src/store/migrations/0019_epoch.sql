-- Rises each time that a replica of the database is promoted.
ALTER TABLE appliance ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
