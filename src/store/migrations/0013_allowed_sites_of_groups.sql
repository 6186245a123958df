-- The sites whose pages may frame ours belong to the group, however its people sign in.
ALTER TABLE groups ADD COLUMN allowed_sites TEXT NOT NULL DEFAULT '';
UPDATE groups SET allowed_sites = coalesce(
    (SELECT c.allowed_sites FROM sso_configurations c WHERE c.group_id = groups.id), '');
ALTER TABLE sso_configurations DROP COLUMN allowed_sites;
