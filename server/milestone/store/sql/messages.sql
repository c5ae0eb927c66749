-- name: add_message
-- Bound to the attempt that sends it, if it is one.
INSERT INTO agent_messages (project_id, position, message_id, milestone_id, from_agent, recipient, type, payload, reply_to, sent_at,
    task_id, attempt)
VALUES (:project_id, :position, :message_id, :milestone_id, :from_agent, :recipient, :type, :payload, :reply_to, :at,
    coalesce((SELECT task_id FROM claims WHERE project_id = :project_id AND agent_id = :from_agent ORDER BY attempt DESC LIMIT 1), ''),
    coalesce((SELECT max(attempt) FROM claims WHERE project_id = :project_id AND agent_id = :from_agent), 0));

-- name: add_receipt
INSERT INTO message_receipts (project_id, agent_id, message_id, position, delivered_at, read_at, acked_at)
VALUES (:project_id, :agent_id, :message_id, :position, '', '', '') ON CONFLICT (project_id, agent_id, message_id) DO NOTHING;

-- name: waiting_for_type
-- Messages to a type that had nobody to receive them: the next agent of that type gets them.
SELECT m.message_id, m.position FROM agent_messages m
 WHERE m.project_id = :project_id AND m.milestone_id = :milestone_id AND m.recipient = :agent_type
   AND NOT EXISTS (SELECT 1 FROM message_receipts r WHERE r.project_id = m.project_id AND r.message_id = m.message_id)
 ORDER BY m.position;

-- name: undelivered
-- What has not been handed over yet, oldest first. A sender's attempt is over when its claim ended and not by completion.
SELECT m.*, CASE WHEN c.ended_at <> '' AND c.outcome <> 'completed' THEN 1 ELSE 0 END AS attempt_over
  FROM message_receipts r
  JOIN agent_messages m ON m.project_id = r.project_id AND m.message_id = r.message_id
  LEFT JOIN claims c ON c.project_id = m.project_id AND c.milestone_id = m.milestone_id AND c.task_id = m.task_id AND c.attempt = m.attempt
 WHERE r.project_id = :project_id AND r.agent_id = :agent_id AND r.delivered_at = '' AND r.withdrawn = 0
 ORDER BY r.position LIMIT :limit;

-- name: count_undelivered
SELECT count(*) AS n FROM message_receipts
 WHERE project_id = :project_id AND agent_id = :agent_id AND delivered_at = '' AND withdrawn = 0;

-- name: deliver
UPDATE message_receipts SET delivered_at = :at WHERE project_id = :project_id AND agent_id = :agent_id AND message_id = :message_id;

-- name: read
-- Whoever calls again has before it what was handed over to it.
UPDATE message_receipts
   SET read_at = :at, read_position = (SELECT position FROM projects WHERE projects.project_id = message_receipts.project_id)
 WHERE project_id = :project_id AND agent_id = :agent_id AND read_at = '' AND delivered_at <> '';

-- name: ack
UPDATE message_receipts
   SET acked_at = :at, read_at = CASE read_at WHEN '' THEN :at ELSE read_at END,
       delivered_at = CASE delivered_at WHEN '' THEN :at ELSE delivered_at END,
       read_position = CASE read_at WHEN '' THEN
           (SELECT position FROM projects WHERE projects.project_id = message_receipts.project_id) ELSE read_position END
 WHERE project_id = :project_id AND agent_id = :agent_id AND message_id = :message_id AND acked_at = '' AND withdrawn = 0;

-- name: renew
-- A new run of the same agent has never seen what was handed to the one before and not read by it.
UPDATE message_receipts SET delivered_at = ''
 WHERE project_id = :project_id AND agent_id = :agent_id AND read_at = '' AND delivered_at <> '';

-- name: hand_on
INSERT INTO message_receipts (project_id, agent_id, message_id, position, delivered_at, read_at, acked_at)
SELECT project_id, :to_agent, message_id, position, '', '', '' FROM message_receipts
 WHERE project_id = :project_id AND agent_id = :from_agent AND read_at = '' AND withdrawn = 0
ON CONFLICT (project_id, agent_id, message_id) DO NOTHING;

-- name: withdraw
UPDATE message_receipts SET withdrawn = 1
 WHERE project_id = :project_id AND agent_id = :from_agent AND read_at = '' AND withdrawn = 0;

-- name: overdue
-- Recipients that are at work and have not been handed what was sent before a time; and types that nobody plays yet: the names
-- are read one after the other from an index, since they are few and the messages are many.
SELECT r.agent_id AS recipient, count(*) AS n, min(m.sent_at) AS oldest
  FROM agent_registry a
  JOIN message_receipts r ON r.project_id = a.project_id AND r.agent_id = a.agent_id AND r.delivered_at = '' AND r.withdrawn = 0
  JOIN agent_messages m ON m.project_id = r.project_id AND m.message_id = r.message_id AND m.sent_at < :before
 WHERE a.project_id = :project_id AND a.milestone_id = :milestone_id AND a.status IN ('waiting', 'active')
 GROUP BY r.agent_id
 UNION ALL
SELECT m.recipient, count(*), min(m.sent_at)
  FROM (WITH RECURSIVE names AS (
            SELECT min(f.recipient) AS recipient FROM agent_messages f WHERE f.project_id = :project_id AND f.milestone_id = :milestone_id
             UNION ALL
            SELECT (SELECT min(f.recipient) FROM agent_messages f
                     WHERE f.project_id = :project_id AND f.milestone_id = :milestone_id AND f.recipient > n.recipient)
              FROM names n WHERE n.recipient IS NOT NULL)
        SELECT n.recipient FROM names n
         WHERE n.recipient IS NOT NULL AND n.recipient <> '*'
           AND NOT EXISTS (SELECT 1 FROM agent_registry a WHERE a.project_id = :project_id AND a.agent_id = n.recipient)
         ORDER BY n.recipient LIMIT 1000) t
 CROSS JOIN agent_messages m
 WHERE m.project_id = :project_id AND m.milestone_id = :milestone_id AND m.recipient = t.recipient AND m.sent_at < :before
   AND NOT EXISTS (SELECT 1 FROM message_receipts r WHERE r.project_id = m.project_id AND r.message_id = m.message_id)
 GROUP BY m.recipient
 ORDER BY oldest, recipient;

-- name: message
SELECT * FROM agent_messages WHERE project_id = :project_id AND message_id = :message_id;
