-- name: moves_of
-- What happened in a milestone beside keys being saved; the index leaves those out, too.
SELECT position, at, event, subject, actor, detail FROM events
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND event <> 'state_saved' AND event <> 'state_restored'
 ORDER BY position;

-- name: held
-- Open claims: what a rollback ends.
SELECT c.task_id, c.agent_id, c.attempt FROM claims c
  JOIN tasks t ON t.project_id = c.project_id AND t.milestone_id = c.milestone_id AND t.task_id = c.task_id
 WHERE c.project_id = :project_id AND c.milestone_id = :milestone_id AND c.ended_at = '' AND (:mode = '' OR t.mode = :mode)
 ORDER BY t.ordinal, c.task_id;

-- name: roll_back_task
-- The only way out of a status that is final.
UPDATE tasks SET status = :status, detail = :detail, attempts = :attempts, failures = :failures, completed_at = :completed_at,
    not_before = 0, era = '', next_role = '', left_behind = '{}'
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id;

-- name: recount_needs
-- What each task waits for, whatever its status: tasks that had ended may have to be done again.
UPDATE tasks SET unmet = (
    SELECT count(*) FROM task_dependencies d JOIN tasks n
        ON n.project_id = d.project_id AND n.milestone_id = d.milestone_id AND n.task_id = d.needs_task
     WHERE d.project_id = tasks.project_id AND d.milestone_id = tasks.milestone_id AND d.task_id = tasks.task_id
       AND n.status NOT IN ('completed', 'skipped'))
 WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: roll_back_phase
UPDATE phases SET status = :status, completed_at = :completed_at, started_at = CASE :status WHEN 'pending' THEN '' ELSE started_at END
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND phase = :phase;

-- name: reopen_session
UPDATE sessions SET status = 'open', ended_at = '' WHERE project_id = :project_id AND session_id = :session_id AND status <> 'open';

-- name: under_way
SELECT rolling, rolled FROM milestones WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: begin
UPDATE milestones SET rolling = :undo WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: end
UPDATE milestones SET rolling = '', rolled = CASE WHEN rolled < :rolled THEN :rolled ELSE rolled END
 WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: count_too_new
SELECT count(*) AS n FROM agent_messages m
  JOIN agent_registry a ON a.project_id = m.project_id AND a.agent_id = m.from_agent
 WHERE m.project_id = :project_id AND m.milestone_id = :milestone_id AND m.position > :position
   AND (:scope = 'milestone' OR (:scope = 'session' AND a.session_id = :scope_id) OR (:scope = 'agent' AND m.from_agent = :scope_id))
   AND NOT EXISTS (SELECT 1 FROM message_receipts r WHERE r.project_id = m.project_id AND r.message_id = m.message_id
                      AND (r.delivered_at <> '' OR r.withdrawn <> 0));

-- name: withdraw
-- `withdrawn` is the position of the rollback, so that going back to before it brings the message back.
UPDATE message_receipts SET withdrawn = :now
 WHERE project_id = :project_id AND delivered_at = '' AND withdrawn = 0 AND message_id IN (
    SELECT m.message_id FROM agent_messages m
      JOIN agent_registry a ON a.project_id = m.project_id AND a.agent_id = m.from_agent
     WHERE m.project_id = :project_id AND m.milestone_id = :milestone_id AND m.position > :position
       AND (:scope = 'milestone' OR (:scope = 'session' AND a.session_id = :scope_id) OR (:scope = 'agent' AND m.from_agent = :scope_id)));

-- name: withdraw_waiting
-- A message that waits for somebody to come is withdrawn in the name of its sender: it has a receipt, so nobody gets it.
INSERT INTO message_receipts (project_id, agent_id, message_id, position, delivered_at, read_at, acked_at, withdrawn)
SELECT m.project_id, m.from_agent, m.message_id, m.position, '', '', '', :now FROM agent_messages m
  JOIN agent_registry a ON a.project_id = m.project_id AND a.agent_id = m.from_agent
 WHERE m.project_id = :project_id AND m.milestone_id = :milestone_id AND m.position > :position
   AND (:scope = 'milestone' OR (:scope = 'session' AND a.session_id = :scope_id) OR (:scope = 'agent' AND m.from_agent = :scope_id))
   AND NOT EXISTS (SELECT 1 FROM message_receipts r WHERE r.project_id = m.project_id AND r.message_id = m.message_id);

-- name: wait_again
DELETE FROM message_receipts
 WHERE project_id = :project_id AND position <= :position AND withdrawn > :position AND agent_id = (
    SELECT m.from_agent FROM agent_messages m
     WHERE m.project_id = message_receipts.project_id AND m.message_id = message_receipts.message_id AND m.milestone_id = :milestone_id);

-- name: bring_back
UPDATE message_receipts SET withdrawn = 0
 WHERE project_id = :project_id AND position <= :position AND withdrawn > :position AND message_id IN (
    SELECT m.message_id FROM agent_messages m WHERE m.project_id = :project_id AND m.milestone_id = :milestone_id);

-- name: count_read_since
SELECT count(*) AS n FROM message_receipts r
  JOIN agent_registry a ON a.project_id = r.project_id AND a.agent_id = r.agent_id
 WHERE r.project_id = :project_id AND r.position <= :position AND r.read_position > :position AND r.withdrawn = 0
   AND a.milestone_id = :milestone_id AND a.status IN ('waiting', 'active')
   AND (:scope = 'milestone' OR (:scope = 'session' AND a.session_id = :scope_id) OR (:scope = 'agent' AND a.agent_id = :scope_id));

-- name: unread
-- Messages that had been sent and not read: whoever is at work gets them again.
UPDATE message_receipts SET delivered_at = '', read_at = '', acked_at = '', read_position = 0
 WHERE project_id = :project_id AND position <= :position AND read_position > :position AND withdrawn = 0 AND agent_id IN (
    SELECT a.agent_id FROM agent_registry a
     WHERE a.project_id = :project_id AND a.milestone_id = :milestone_id AND a.status IN ('waiting', 'active')
       AND (:scope = 'milestone' OR (:scope = 'session' AND a.session_id = :scope_id) OR (:scope = 'agent' AND a.agent_id = :scope_id)));
