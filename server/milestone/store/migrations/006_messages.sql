-- Messages are bound to the attempt that sent them, and a session knows up to which position of the log its coordinator
-- has been told what to do: the plugin's monitor wakes it for what is newer.
ALTER TABLE agent_messages ADD COLUMN task_id TEXT NOT NULL DEFAULT '';
ALTER TABLE agent_messages ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
