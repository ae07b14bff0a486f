import type { Entry } from './entry.ts'
import type { Faults } from './faults.ts'

/** What is known of cases that are decided alike. */
interface Job {
  digest: string
  n: number
  state: 'proposed' | 'running' | 'over'
  /** Decisions of it, and how many of them it says there are. */
  decided: number
}

/** So many are decided alike by one person; more take a lead. */
const ALONE = 25

/** Steps of a job, and from where they may be taken. */
const FROM: ReadonlyMap<string, readonly Job['state'][]> = new Map(
  Object.entries<readonly Job['state'][]>({
    approve: ['proposed'],
    refuse: ['proposed', 'running'],
    finish: ['running'],
    cancel: ['running'],
    undo: ['running', 'over'],
    finish_undo: ['over'],
  }),
)

/** Holds jobs against their decisions: none without its job, none before two persons stand for many, and the sums agree. */
export function createAlike(faults: Faults): { entry(entry: Entry): void } {
  const jobs = new Map<string, Job>()
  const told = (entry: Entry, job: string): void => {
    const known = jobs.get(job)
    const wrong = known === undefined ? beginFault(entry) : stepFault(entry, known)
    if (wrong !== undefined) faults.add(`the job ${job} ${wrong}`, entry.index)
    const name = String(entry.fields.get('step'))
    if (known !== undefined) known.state = name === 'approve' ? 'running' : 'over'
    else if (name === 'begin' || name === 'propose') jobs.set(job, begun(entry))
  }
  const decided = ({ index }: Entry, job: string): void => {
    const known = jobs.get(job)
    if (known?.state !== 'running') {
      faults.add(`the job ${job} decided a case and was not to`, index)
      return
    }
    known.decided += 1
    // Said of each case too many: a job need not come to its end.
    if (!(known.decided <= known.n))
      faults.add(`the job ${job} decided more cases than the ${known.n} of its list`, index)
  }
  return {
    entry(entry) {
      const { kind, fields } = entry
      const job = fields.get('job')
      if (typeof job !== 'string') return
      if (kind === 'review.bulk') told(entry, job)
      // A second person approves one case of it as of any other.
      if (kind === 'review.decided' && fields.get('reviewers') === 1) decided(entry, job)
    },
  }
}

const begun = ({ fields }: Entry): Job => ({
  ...{ digest: String(fields.get('digest')), n: Number(fields.get('n')), decided: 0 },
  state: fields.get('step') === 'begin' ? 'running' : 'proposed',
})

function beginFault({ fields }: Entry): string | undefined {
  const [name, n] = [fields.get('step'), Number(fields.get('n'))]
  if (name !== 'begin' && name !== 'propose') return 'was asked for by nobody'
  return name === 'begin' && n > ALONE ? `decides ${n} cases, and nobody else approved it` : undefined
}

function stepFault({ fields }: Entry, known: Job): string | undefined {
  const name = String(fields.get('step'))
  if (FROM.get(name)?.includes(known.state) !== true) return `was ${known.state}, which ${name} does not follow`
  if (known.digest !== fields.get('digest') || known.n !== fields.get('n'))
    return 'is of another list or decision than the one that was asked for'
  if (name === 'approve' && fields.get('reviewers') !== 2) return 'was approved by nobody else'
  if (name !== 'finish' && name !== 'cancel') return undefined
  const said = changedIn(fields.get('results'))
  return said === known.decided ? undefined : `says that ${said} were decided, of which ${known.decided} have an entry`
}

function changedIn(results: unknown): number {
  const told = Object(results) as Readonly<Record<string, unknown>>
  return Number(told['decided'] ?? 0) + Number(told['proposed'] ?? 0)
}
