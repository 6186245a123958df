-- Tokens and web sessions carry the mark of their membership. Sessions from before carry none, so they end.
-- A claim link that an operator made on the host left open is closed.
-- SQLite only: random() as an integer.
ALTER TABLE memberships ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
UPDATE memberships SET mark = random() & 0x7fffffff;
DROP INDEX IF EXISTS memberships_for_sign_in;
CREATE INDEX memberships_for_sign_in
    ON memberships (group_id, puid, user_id, suspended, active, role_id, administrator, mark)
    WHERE puid IS NOT NULL;
DELETE FROM web_sessions;
ALTER TABLE web_sessions ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
UPDATE appliance SET claim_fingerprint = NULL WHERE EXISTS (SELECT 1 FROM operators);
