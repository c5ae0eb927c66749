-- name: add_project
INSERT INTO projects (project_id, position, created_at) VALUES (:project_id, 0, :at) ON CONFLICT (project_id) DO NOTHING;

-- name: next_position
-- One counter for everything in a project: it is taken under the project's row, so positions appear in the order of commits.
UPDATE projects SET position = position + 1 WHERE project_id = :project_id RETURNING position;

-- name: position
SELECT position FROM projects WHERE project_id = :project_id;

-- name: add_event
INSERT INTO events (project_id, position, milestone_id, at, event, subject, actor, topic, detail)
VALUES (:project_id, :position, :milestone_id, :at, :event, :subject, :actor, :topic, :detail);

-- name: topics_since
SELECT DISTINCT topic FROM events WHERE project_id = :project_id AND position > :position AND topic <> '';

-- name: events_since
SELECT position, at, event, subject, actor, detail FROM events
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND position > :position ORDER BY position LIMIT 10000;

-- name: request
SELECT operation, arguments_digest, answer FROM requests WHERE project_id = :project_id AND request_id = :request_id;

-- name: add_request
INSERT INTO requests (project_id, request_id, operation, arguments_digest, answer, at)
VALUES (:project_id, :request_id, :operation, :arguments_digest, :answer, :at);
