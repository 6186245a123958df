-- To whom the key file is sealed into each backup.
ALTER TABLE appliance ADD COLUMN key_recipient TEXT;
