-- Lists of names come as the keys of a JSON object: `json_each` is the one way that both engines have to take a list.
-- What changes threads stays out of the journal: a thread that is deleted must be gone.

-- name: put
-- volatile: *
-- The same checkpoint may come again, with more in it: it is written when a graph ends, too.
INSERT INTO thread_checkpoints (project_id, thread_id, namespace, checkpoint_id, parent_id, run_id, head, metadata)
VALUES (:project_id, :thread_id, :namespace, :checkpoint_id, :parent_id, :run_id, :head, :metadata)
    ON CONFLICT (project_id, thread_id, namespace, checkpoint_id)
    DO UPDATE SET parent_id = excluded.parent_id, run_id = excluded.run_id, head = excluded.head, metadata = excluded.metadata;

-- name: put_value
-- volatile: *
-- A name belongs to one value. Where a caller numbers versions so that branches collide, the newest reads as written.
INSERT INTO thread_values (project_id, thread_id, namespace, name, value)
VALUES (:project_id, :thread_id, :namespace, :name, :value)
    ON CONFLICT (project_id, thread_id, namespace, name) DO UPDATE SET value = excluded.value;

-- name: put_write
-- volatile: *
INSERT INTO thread_writes (project_id, thread_id, namespace, checkpoint_id, task_id, ordinal, task_path, channel, value)
VALUES (:project_id, :thread_id, :namespace, :checkpoint_id, :task_id, :ordinal, :task_path, :channel, :value)
    ON CONFLICT (project_id, thread_id, namespace, checkpoint_id, task_id, ordinal) DO NOTHING;

-- name: replace_write
-- volatile: *
-- Errors, interrupts and answers to them have a place of their own below zero; the newest counts.
INSERT INTO thread_writes (project_id, thread_id, namespace, checkpoint_id, task_id, ordinal, task_path, channel, value)
VALUES (:project_id, :thread_id, :namespace, :checkpoint_id, :task_id, :ordinal, :task_path, :channel, :value)
    ON CONFLICT (project_id, thread_id, namespace, checkpoint_id, task_id, ordinal)
    DO UPDATE SET task_path = excluded.task_path, channel = excluded.channel, value = excluded.value;

-- name: checkpoint
SELECT * FROM thread_checkpoints WHERE project_id = :project_id AND thread_id = :thread_id AND namespace = :namespace
   AND checkpoint_id = :checkpoint_id;

-- name: newest
SELECT * FROM thread_checkpoints WHERE project_id = :project_id AND thread_id = :thread_id AND namespace = :namespace
 ORDER BY checkpoint_id DESC LIMIT 1;

-- name: values
SELECT name, value FROM thread_values WHERE project_id = :project_id AND thread_id = :thread_id AND namespace = :namespace
   AND name IN (SELECT key FROM json_each(:names));

-- name: writes
SELECT * FROM thread_writes WHERE project_id = :project_id AND thread_id = :thread_id AND namespace = :namespace
   AND checkpoint_id = :checkpoint_id;

-- name: of_thread
SELECT thread_id, namespace, checkpoint_id FROM thread_checkpoints WHERE project_id = :project_id AND thread_id = :thread_id
   AND (:any_namespace = 1 OR namespace = :namespace) AND (:before = '' OR checkpoint_id < :before)
   AND (:checkpoint_id = '' OR checkpoint_id = :checkpoint_id)
 ORDER BY checkpoint_id DESC, namespace LIMIT :limit;

-- name: of_project
SELECT thread_id, namespace, checkpoint_id FROM thread_checkpoints WHERE project_id = :project_id
   AND (:before = '' OR checkpoint_id < :before)
 ORDER BY checkpoint_id DESC, thread_id, namespace LIMIT :limit;

-- name: of_runs
SELECT thread_id, namespace, checkpoint_id FROM thread_checkpoints WHERE project_id = :project_id
   AND run_id <> '' AND run_id IN (SELECT key FROM json_each(:runs));

-- name: heads
SELECT head FROM thread_checkpoints WHERE project_id = :project_id AND thread_id = :thread_id AND namespace = :namespace;

-- name: drop_checkpoint
-- volatile: *
DELETE FROM thread_checkpoints WHERE project_id = :project_id AND thread_id = :thread_id AND namespace = :namespace
   AND checkpoint_id = :checkpoint_id;

-- name: drop_writes
-- volatile: *
DELETE FROM thread_writes WHERE project_id = :project_id AND thread_id = :thread_id AND namespace = :namespace
   AND checkpoint_id = :checkpoint_id;

-- name: drop_values_but
-- volatile: *
DELETE FROM thread_values WHERE project_id = :project_id AND thread_id = :thread_id AND namespace = :namespace
   AND name NOT IN (SELECT key FROM json_each(:names));

-- name: delete_checkpoints
-- volatile: *
DELETE FROM thread_checkpoints WHERE project_id = :project_id AND thread_id = :thread_id;

-- name: delete_values
-- volatile: *
DELETE FROM thread_values WHERE project_id = :project_id AND thread_id = :thread_id;

-- name: delete_writes
-- volatile: *
DELETE FROM thread_writes WHERE project_id = :project_id AND thread_id = :thread_id;

-- name: copy_checkpoints
-- volatile: *
INSERT INTO thread_checkpoints (project_id, thread_id, namespace, checkpoint_id, parent_id, run_id, head, metadata)
SELECT project_id, :target, namespace, checkpoint_id, parent_id, run_id, head, metadata FROM thread_checkpoints
 WHERE project_id = :project_id AND thread_id = :thread_id ON CONFLICT DO NOTHING;

-- name: copy_values
-- volatile: *
INSERT INTO thread_values (project_id, thread_id, namespace, name, value)
SELECT project_id, :target, namespace, name, value FROM thread_values
 WHERE project_id = :project_id AND thread_id = :thread_id ON CONFLICT DO NOTHING;

-- name: copy_writes
-- volatile: *
INSERT INTO thread_writes (project_id, thread_id, namespace, checkpoint_id, task_id, ordinal, task_path, channel, value)
SELECT project_id, :target, namespace, checkpoint_id, task_id, ordinal, task_path, channel, value FROM thread_writes
 WHERE project_id = :project_id AND thread_id = :thread_id ON CONFLICT DO NOTHING;
