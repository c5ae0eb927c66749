-- name: add_message
INSERT INTO agent_messages (project_id, position, message_id, milestone_id, from_agent, recipient, type, payload, reply_to, sent_at)
VALUES (:project_id, :position, :message_id, :milestone_id, :from_agent, :recipient, :type, :payload, :reply_to, :at);

-- name: add_receipt
INSERT INTO message_receipts (project_id, agent_id, message_id, position, delivered_at, read_at, acked_at)
VALUES (:project_id, :agent_id, :message_id, :position, '', '', '') ON CONFLICT (project_id, agent_id, message_id) DO NOTHING;

-- name: waiting_for_type
-- Messages to a type that had nobody to receive them: the next agent of that type gets them.
SELECT m.message_id, m.position FROM agent_messages m
 WHERE m.project_id = :project_id AND m.milestone_id = :milestone_id AND m.recipient = :agent_type
   AND NOT EXISTS (SELECT 1 FROM message_receipts r WHERE r.project_id = m.project_id AND r.message_id = m.message_id)
 ORDER BY m.position;

-- name: unread
SELECT m.*, r.delivered_at FROM message_receipts r
  JOIN agent_messages m ON m.project_id = r.project_id AND m.message_id = r.message_id
 WHERE r.project_id = :project_id AND r.agent_id = :agent_id AND r.read_at = '' ORDER BY r.position LIMIT :limit;

-- name: count_unread
SELECT count(*) AS n FROM message_receipts WHERE project_id = :project_id AND agent_id = :agent_id AND read_at = '';

-- name: read
UPDATE message_receipts SET read_at = :at, delivered_at = CASE delivered_at WHEN '' THEN :at ELSE delivered_at END
 WHERE project_id = :project_id AND agent_id = :agent_id AND message_id = :message_id;

-- name: ack
UPDATE message_receipts SET acked_at = :at, read_at = CASE read_at WHEN '' THEN :at ELSE read_at END
 WHERE project_id = :project_id AND agent_id = :agent_id AND message_id = :message_id AND acked_at = '';

-- name: message
SELECT * FROM agent_messages WHERE project_id = :project_id AND message_id = :message_id;
