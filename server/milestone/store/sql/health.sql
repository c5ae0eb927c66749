-- name: open_claims
-- Who holds what, with all that decides whether anybody is behind it.
SELECT c.milestone_id, c.task_id, c.agent_id, c.server, c.started_at, c.era, c.lease_until, t.mode, t.status AS task_status, a.status AS agent_status
  FROM claims c
  JOIN tasks t ON t.project_id = c.project_id AND t.milestone_id = c.milestone_id AND t.task_id = c.task_id
  JOIN agent_registry a ON a.project_id = c.project_id AND a.agent_id = c.agent_id
 WHERE c.project_id = :project_id AND c.ended_at = '' ORDER BY c.milestone_id, t.ordinal, c.task_id;

-- name: unheld
SELECT t.* FROM tasks t
 WHERE t.project_id = :project_id AND t.status = 'claimed' AND NOT EXISTS (SELECT 1 FROM claims c
     WHERE c.project_id = t.project_id AND c.milestone_id = t.milestone_id AND c.task_id = t.task_id AND c.ended_at = '')
 ORDER BY t.milestone_id, t.ordinal;

-- name: open_after_the_end
SELECT s.session_id, s.milestone_id, s.mode, m.status FROM sessions s
  JOIN milestones m ON m.project_id = s.project_id AND m.milestone_id = s.milestone_id
 WHERE s.project_id = :project_id AND s.status = 'open' AND m.status IN ('completed', 'cancelled') ORDER BY s.session_id;

-- name: miscounted
-- Tasks whose number of unmet needs is not how many of their needs have not ended well.
SELECT t.milestone_id, t.task_id, t.unmet FROM tasks t
 WHERE t.project_id = :project_id AND t.status NOT IN ('completed', 'skipped') AND t.unmet <> (
    SELECT count(*) FROM task_dependencies d
      JOIN tasks n ON n.project_id = d.project_id AND n.milestone_id = d.milestone_id AND n.task_id = d.needs_task
     WHERE d.project_id = t.project_id AND d.milestone_id = t.milestone_id AND d.task_id = t.task_id
       AND n.status NOT IN ('completed', 'skipped'))
 ORDER BY t.milestone_id, t.ordinal;

-- name: recount
UPDATE tasks SET unmet = (
    SELECT count(*) FROM task_dependencies d
      JOIN tasks n ON n.project_id = d.project_id AND n.milestone_id = d.milestone_id AND n.task_id = d.needs_task
     WHERE d.project_id = tasks.project_id AND d.milestone_id = tasks.milestone_id AND d.task_id = tasks.task_id
       AND n.status NOT IN ('completed', 'skipped'))
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id;

-- name: undeliverable
-- Messages for agents that have ended; those of a task that goes on are handed to its next agent.
SELECT r.agent_id, count(*) AS messages FROM message_receipts r
  JOIN agent_registry a ON a.project_id = r.project_id AND a.agent_id = r.agent_id
 WHERE r.project_id = :project_id AND r.delivered_at = '' AND r.withdrawn = 0 AND a.status IN ('completed', 'failed', 'retired')
   AND NOT EXISTS (SELECT 1 FROM claims c
      JOIN tasks t ON t.project_id = c.project_id AND t.milestone_id = c.milestone_id AND t.task_id = c.task_id
     WHERE c.project_id = r.project_id AND c.agent_id = r.agent_id AND t.status NOT IN ('completed', 'skipped'))
 GROUP BY r.agent_id ORDER BY r.agent_id;

-- name: withdraw
UPDATE message_receipts SET withdrawn = 1
 WHERE project_id = :project_id AND agent_id = :agent_id AND delivered_at = '' AND withdrawn = 0;

-- name: heard
-- What hosts have told: how many agents they established, and when one of these was heard of last.
SELECT count(*) AS agents, coalesce(sum(verified), 0) AS verified, coalesce(max(CASE host_session WHEN '' THEN '' ELSE seen_at END), '') AS seen_at
  FROM agent_registry WHERE project_id = :project_id;
