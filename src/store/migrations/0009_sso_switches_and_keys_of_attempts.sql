-- SSO Configure has two more switches: whether the NameID counts when the identity attribute is missing (as it
-- always did), and Triple DES. An attempt whose signature did not verify keeps what the keys were.
ALTER TABLE sso_configurations ADD COLUMN name_id_when_missing INTEGER NOT NULL DEFAULT 1
    CHECK (name_id_when_missing IN (0, 1));
ALTER TABLE sso_configurations ADD COLUMN allow_3des INTEGER NOT NULL DEFAULT 0 CHECK (allow_3des IN (0, 1));
ALTER TABLE saml_attempts ADD COLUMN keys TEXT;
