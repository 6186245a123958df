-- A group that is deleted is hidden at once and taken away in portions: its row stays until all else of it is gone.
ALTER TABLE groups ADD COLUMN leaving INTEGER NOT NULL DEFAULT 0 CHECK (leaving IN (0, 1));
CREATE INDEX groups_that_leave ON groups (id) WHERE leaving = 1;
CREATE INDEX users_by_home ON users (home_group_id);
