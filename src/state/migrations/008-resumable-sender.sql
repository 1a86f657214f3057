-- Who has begun an upload: whose it is, where its file goes, and whose count it goes to.
ALTER TABLE resumable_uploads ADD COLUMN sender TEXT CHECK (length(sender) BETWEEN 1 AND 300);  -- null: nobody in particular
ALTER TABLE resumable_uploads ADD COLUMN folder TEXT CHECK (length(folder) BETWEEN 1 AND 200);
ALTER TABLE resumable_uploads ADD COLUMN holder TEXT CHECK (holder IN ('token', 'invitation'));  -- null: nothing is counted
ALTER TABLE resumable_uploads ADD COLUMN holder_id INTEGER CHECK ((holder IS NULL) = (holder_id IS NULL));
ALTER TABLE resumable_uploads ADD COLUMN by_json TEXT CHECK (length(by_json) <= 2048 AND json_valid(by_json));  -- for the audit log
