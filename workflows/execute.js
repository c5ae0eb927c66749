// The coordinator's loop as a script. A script has no MCP of its own, so in each round an agent asks the server for it.
// Nothing is kept here that the ledger does not know: after a broken session a new start asks again and goes on from there.
export const meta = {
  name: 'execute-workflow', // not `execute`: a workflow takes the slash command away from the skill of its name
  description: 'Carries a planned milestone out: asks the Milestone server what is next and starts the agents it names.',
  whenToUse: 'To carry a milestone out in the background. args: its name or id; nothing means the one under way.',
  phases: [
    { title: 'Rounds', detail: 'ask the server what to do next' },
    { title: 'Work', detail: 'one agent for each task that was handed out' },
    { title: 'Gates', detail: 'the commands that prove a task' },
  ],
}

const COORDINATOR = 'milestone:project-milestone-coordinator'
const PATIENCE = 3 // times in a row that a question to the server may come to nothing
const AT_A_TASK = 2 // agents: the newest, and one that the server has given up and that has yet to notice

const text = { type: 'string' }
const list = (items) => ({ type: 'array', items })
const object = (properties) => ({ type: 'object', properties, required: Object.keys(properties), additionalProperties: false })
const SPAWN = object({ task_id: text, agent_type: text, description: text, agent_id: text, token: text })
const KIND = { type: 'string', enum: ['go', 'wait', 'ask_human', 'done', 'refused'] }
const ROUND = object({
  milestone_id: text, kind: KIND, why: text, tasks: list(text), spawns: list(SPAWN), gates: list(text), phases: list(text),
})
const RAN = object({ ran: { type: 'boolean' }, said: text })

const wanted = typeof args === 'string' ? args.trim() : String(args?.milestone ?? '')
const running = new Map() // what was started and has not ended: agent id, or the gates' label -> { task, ended }
const newest = new Map() // task -> a spawn that waits until fewer agents are at the task
const missed = new Map() // question -> how often in a row it came to nothing
let milestone = '' // its id, once the server has said it
let end = null // the round that ended it all
let broken = '' // why nothing more can be started

const q = JSON.stringify
const opening = () => {
  if (milestone) return `The milestone is ${q(milestone)}.`
  if (!wanted) return 'initialize_agent_coordination(mode="execution"): the milestone under way is meant.'
  return `initialize_agent_coordination(milestone_id=${q(wanted)}, mode="execution"); where that is no id, name in its place.`
}
const roundPrompt = () => `One round of a milestone's execution, for a workflow script. You do these steps once and end: starting agents and
asking again are the script's part, whatever your role or an answer's \`next\` says of them.

1. ${opening()}
2. next_actions(milestone_id, wait_seconds=${milestone ? 100 : 0}), once.
3. For each action of kind transition: transition_phase(phase, milestone_id). Leave run_gates to the script.
4. StructuredOutput, ids and tokens letter by letter. kind: wait, ask_human or done where that is the action's kind, else go; refused
   where a call was refused and these steps cannot mend it. why: the action's why, or the whole refusal. tasks: the tasks of a wait,
   ask_human or done, else []. spawns: of each spawn action its task_id, agent_type, description, agent_id and token. gates: the task_id
   of each run_gates action. phases: those you completed.`

const gatesPrompt = (task) => `Prove one task of a milestone, for a workflow script.

1. run_gates(task_id=${q(task)}, milestone_id=${q(milestone)}), once; wait for its answer, however long it takes.
2. StructuredOutput. ran: false where the call was refused or failed; true otherwise, for red gates too. said: the answer in one line.`

const workPrompt = (one) => `agent_id: ${one.agent_id}
token: ${one.token}
task_id: ${one.task_id}
milestone_id: ${milestone}
Your brief is saved: call update_agent_status(agent_id, status="active", token) first, then load_agent_state(key="brief",
agent_id=<yours>) and do what it says.`

// An agent may die or say nothing of use. The question is asked again, though not for ever.
function note(question, missing) {
  missed.set(question, missing ? (missed.get(question) ?? 0) + 1 : 0)
  if (missed.get(question) >= PATIENCE) broken = `${question}: nothing came of it ${PATIENCE} times in a row (${missing})`
}

const ask = (question, prompt, options) =>
  agent(prompt, { agentType: COORDINATOR, effort: 'low', label: question, ...options }).catch((problem) => {
    log(`${question}: ${problem.message}`)
    return null
  })

function keep(key, task, work) {
  const ended = work.then(() => {
    running.delete(key)
    const next = newest.get(task)
    newest.delete(task)
    if (next) start(next)
  })
  running.set(key, { task, ended })
  return true
}
const oneEnds = () => Promise.race([...running.values()].map(({ ended }) => ended))

// A spawn that waits too long for its turn is handed out again, to a new agent: of one task only the newest spawn counts.
function start(one) {
  if (broken || end || running.has(one.agent_id)) return false
  const busy = [...running.values()].filter(({ task }) => task === one.task_id).length >= AT_A_TASK
  if (busy) return Boolean(newest.set(one.task_id, one))
  const work = agent(workPrompt(one), { agentType: one.agent_type, label: one.task_id, phase: 'Work' })
  return keep(one.agent_id, one.task_id, work.catch((problem) => { broken = `${one.task_id}: ${problem.message}` }))
}

// Gates may take half an hour: with an agent of their own they keep neither the rounds nor other tasks waiting.
function prove(task) {
  const label = `gates of ${task}`
  if (broken || end || running.has(label)) return false
  const work = ask(label, gatesPrompt(task), { schema: RAN, phase: 'Gates' })
  return keep(label, label, work.then((answer) => note(label, answer?.ran ? '' : answer?.said || 'no answer')))
}

while (!end && !broken) {
  const round = await ask('next actions', roundPrompt(), { schema: ROUND, phase: 'Rounds' })
  milestone = round?.milestone_id || milestone
  const nobody = round?.kind === 'wait' && !round.tasks.length && !running.size // another milestone has to come first
  if (nobody || ['done', 'ask_human', 'refused'].includes(round?.kind)) end = round
  const begun = round && [...round.spawns.map(start), ...round.gates.map(prove), round.phases.length].some(Boolean)
  const again = round?.kind === 'go' && !begun // it named only what is under way, and would at once name it again
  note('next actions', round && !(again && !running.size) ? '' : 'no answer, or nothing to do in it')
  if (again && running.size) await oneEnds()
}
while (running.size) await oneEnds() // a script that returns takes its agents down
const { kind, why, tasks } = end ?? { kind: 'broken', why: broken, tasks: [] }
return { milestone_id: milestone, kind, why, tasks, next: 'get_milestone tells where it stands; a new start goes on from there.' }
