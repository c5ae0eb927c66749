-- name: ending
-- Where the project stands, and the newest line; nothing in what a project that has just begun has not.
SELECT (SELECT position FROM projects WHERE project_id = :project_id) AS position,
       (SELECT number FROM journal WHERE project_id = :project_id ORDER BY number DESC LIMIT 1) AS number,
       (SELECT schema_version FROM journal WHERE project_id = :project_id ORDER BY number DESC LIMIT 1) AS schema_version;

-- name: add_line
-- volatile: *
INSERT INTO journal (project_id, number, position, schema_version, entries)
VALUES (:project_id, :number, :position, :schema_version, :entries);

-- name: lines_after
SELECT number, position, schema_version, entries FROM journal WHERE project_id = :project_id AND number > :number
 ORDER BY number LIMIT :limit;
