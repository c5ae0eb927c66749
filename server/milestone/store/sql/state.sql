-- name: newest
SELECT * FROM agent_state WHERE project_id = :project_id AND agent_id = :agent_id AND key = :key ORDER BY version DESC LIMIT 1;

-- name: newest_of_all
-- The newest value of a key by each author of the milestone, newest author first.
SELECT s.* FROM agent_state s
  JOIN (SELECT agent_id, max(version) AS version FROM agent_state
         WHERE project_id = :project_id AND milestone_id = :milestone_id AND key = :key GROUP BY agent_id) n
    ON n.agent_id = s.agent_id AND n.version = s.version
 WHERE s.project_id = :project_id AND s.milestone_id = :milestone_id AND s.key = :key AND s.present = 1
 ORDER BY s.position DESC;

-- name: add_version
INSERT INTO agent_state (project_id, agent_id, key, version, position, milestone_id, value, present, saved_at)
VALUES (:project_id, :agent_id, :key, :version, :position, :milestone_id, :value, :present, :at);

-- name: keys_of_milestone
SELECT DISTINCT key FROM agent_state WHERE project_id = :project_id AND milestone_id = :milestone_id ORDER BY key LIMIT 200;

-- name: changed_since
-- What a rollback has to write: every key of the scope saved after the position, with its newest version.
SELECT s.agent_id, s.key, max(s.version) AS version FROM agent_state s
  JOIN agent_registry a ON a.project_id = s.project_id AND a.agent_id = s.agent_id
 WHERE s.project_id = :project_id AND s.milestone_id = :milestone_id AND s.position > :position
   AND ((:scope = 'agent' AND s.agent_id = :scope_id) OR (:scope = 'session' AND a.session_id = :scope_id)
        OR (:scope = 'milestone' AND s.milestone_id = :scope_id))
 GROUP BY s.agent_id, s.key ORDER BY s.agent_id, s.key;

-- name: at_position
SELECT * FROM agent_state WHERE project_id = :project_id AND agent_id = :agent_id AND key = :key AND position <= :position
 ORDER BY version DESC LIMIT 1;

-- name: add_checkpoint
INSERT INTO agent_checkpoints (project_id, checkpoint_id, scope, scope_id, label, position, created_at, milestone_id)
VALUES (:project_id, :checkpoint_id, :scope, :scope_id, :label, :position, :at, :milestone_id);

-- name: checkpoint
SELECT * FROM agent_checkpoints WHERE project_id = :project_id AND checkpoint_id = :checkpoint_id;

-- name: last_checkpoint
-- What to go back to: what was kept just before a rollback is what the rollback wanted to get away from.
SELECT * FROM agent_checkpoints
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND scope <> 'agent' AND label NOT LIKE 'before checkpoint-%'
 ORDER BY position DESC LIMIT 1;

-- name: keep_trees
UPDATE agent_checkpoints SET trees = :trees, note = :note WHERE project_id = :project_id AND checkpoint_id = :checkpoint_id;

-- name: move_checkpoint
UPDATE agent_checkpoints SET position = :position, label = :label WHERE project_id = :project_id AND checkpoint_id = :checkpoint_id;

-- name: checkpoints_of
SELECT * FROM agent_checkpoints WHERE project_id = :project_id AND milestone_id = :milestone_id ORDER BY position DESC LIMIT :limit;

-- name: labelled
SELECT checkpoint_id FROM agent_checkpoints WHERE project_id = :project_id AND milestone_id = :milestone_id AND label = :label LIMIT 1;

-- name: outlived
-- Checkpoints that nobody asked for and that keep something of Git, beyond the newest of their kind.
SELECT checkpoint_id, trees FROM agent_checkpoints
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND trees <> '[]'
   AND (label LIKE :one OR label LIKE :other) AND label NOT LIKE :but
 ORDER BY position DESC LIMIT 20 OFFSET :newest;
