-- name: agent
SELECT * FROM agent_registry WHERE project_id = :project_id AND agent_id = :agent_id;

-- name: agent_of_host
SELECT * FROM agent_registry WHERE project_id = :project_id AND host_session = :host_session AND host_agent = :host_agent;

-- name: agent_of_token
SELECT * FROM agent_registry WHERE project_id = :project_id AND token_digest = :token_digest AND token_digest <> '';

-- name: add_agent
INSERT INTO agent_registry (project_id, agent_id, agent_type, milestone_id, session_id, capabilities, status, detail, verified,
    token_digest, host_session, host_agent, registered_at, seen_at, ended_at)
VALUES (:project_id, :agent_id, :agent_type, :milestone_id, :session_id, :capabilities, :status, '', :verified,
    :token_digest, '', '', :at, :at, '');

-- name: bind_agent
UPDATE agent_registry SET host_session = :host_session, host_agent = :host_agent, verified = :verified, seen_at = :at
 WHERE project_id = :project_id AND agent_id = :agent_id;

-- name: unbind_host
UPDATE agent_registry SET host_session = '', host_agent = ''
 WHERE project_id = :project_id AND host_session = :host_session AND host_agent = :host_agent AND agent_id <> :agent_id;

-- name: drop_starting
-- A row that only said that the host started somebody gives way to the agent it turned out to be.
DELETE FROM agent_registry WHERE project_id = :project_id AND host_session = :host_session AND host_agent = :host_agent
   AND status = 'starting' AND agent_id <> :agent_id;

-- name: set_agent
UPDATE agent_registry SET status = :status, detail = :detail, seen_at = :at, ended_at = :ended_at
 WHERE project_id = :project_id AND agent_id = :agent_id;

-- name: set_capabilities
UPDATE agent_registry SET capabilities = :capabilities WHERE project_id = :project_id AND agent_id = :agent_id;

-- name: see_agent
-- volatile: seen_at
UPDATE agent_registry SET seen_at = :at WHERE project_id = :project_id AND agent_id = :agent_id AND seen_at < :older_than;

-- name: agents_of
SELECT a.*, (SELECT count(*) FROM message_receipts r WHERE r.project_id = a.project_id AND r.agent_id = a.agent_id AND r.read_at = '' AND r.withdrawn = 0) AS unread
  FROM agent_registry a
 WHERE a.project_id = :project_id AND a.session_id = :session_id AND (:status = '' OR a.status = :status)
 ORDER BY a.registered_at, a.agent_id LIMIT :limit OFFSET :offset;

-- name: count_agents
SELECT status, count(*) AS n FROM agent_registry WHERE project_id = :project_id AND session_id = :session_id GROUP BY status ORDER BY status;

-- name: recipients
-- Whoever is still at work and is meant: the agent itself, its type, or everybody but the sender.
SELECT agent_id FROM agent_registry
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND status IN ('waiting', 'active')
   AND (agent_id = :recipient OR agent_type = :recipient OR :recipient = '*') AND agent_id <> :sender
 ORDER BY agent_id;
