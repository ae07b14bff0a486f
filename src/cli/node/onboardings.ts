import { Argument, type Command, Option } from 'commander'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { readBytesIfThere } from '../../client/files.ts'
import { Refusal, StartRefused } from '../../kernel/errors.ts'
import { SlugSchema } from '../../kernel/schema.ts'
import { sha256 } from '../../kernel/sha256.ts'
import { CHECKLIST, type ChecklistItem } from '../../participants/checklist.ts'
import type { Judgement, ListedOnboarding } from '../../participants/onboarding.ts'
import { LabelSchema, PARTICIPANT_KIND, type ParticipantKind } from '../../participants/schema.ts'
import { columns, outputOf } from '../output.ts'
import type { By } from './acts.ts'
import { idOf } from './ids.ts'
import { withParticipants } from './open.ts'

interface Opening extends By {
  name: string
  kind: ParticipantKind
}

/** The document that is shown or was looked at: it stays where it is, its digest is enough. */
interface Shown extends By {
  file?: string
  digest?: string
}

interface Provided extends Shown {
  agreement?: string
  signatory?: string
}

const VERDICTS = ['accepted', 'returned'] as const

/** What organisations show before they are admitted, and what is said of it. */
export function onboardingCommands(program: Command): void {
  const onboardings = program
    .command('onboardings')
    .description('what organisations have shown before they are admitted')
    .action(async (_options: object, command: Command) => {
      const listed = await withParticipants((service) => service.listOnboardings())
      const rows = listed.map(({ onboarding, slug, kind, outcome, missing }) => [
        ...[onboarding, slug, kind, outcome ?? 'open'],
        missing.length === 0 ? 'complete' : `missing ${missing.join(' ')}`,
      ])
      outputOf(command).data({ onboardings: listed }, rows.length === 0 ? 'no onboardings' : columns(rows))
    })
  onboardings
    .command('show <onboarding>')
    .description('the items of one, each with the digest of what was shown')
    .action((onboarding: string, _options: object, command: Command) => show(command, onboarding))
  onboardings
    .command('open <slug>')
    .description('begin the onboarding of an organisation')
    .requiredOption('--name <name>', 'of the organisation')
    .addOption(new Option('--kind <kind>').choices(Object.keys(PARTICIPANT_KIND)).default('platform'))
    .requiredOption('--by <person>', 'id of an administrator')
    .action((slug: string, options: Opening, command: Command) => open(command, slug, options))
  withDocument(
    onboardings
      .command('provide <onboarding>')
      .addArgument(new Argument('<item>', 'what was shown').choices(CHECKLIST))
      .description('say that a document was shown, which begins its item anew')
      .option('--agreement <version>', 'of the item agreement: which one it is, such as v3')
      .option('--signatory <office>', 'of the item agreement: in which office somebody signed it, no name'),
  )
    .requiredOption('--by <person>', 'id of an administrator')
    .action((onboarding: string, item: ChecklistItem, options: Provided, command: Command) =>
      provide(command, { onboarding, item }, options),
    )
  withDocument(
    onboardings
      .command('judge <onboarding>')
      .addArgument(new Argument('<item>', 'what was shown').choices(CHECKLIST))
      .addArgument(new Argument('<verdict>', 'of whoever looked at it').choices(VERDICTS))
      .description('accept or return a document that you looked at; refused where another one was shown since'),
  )
    .requiredOption('--by <person>', 'id of somebody of governance')
    .action(
      (onboarding: string, item: ChecklistItem, verdict: Judgement['verdict'], options: Shown, command: Command) =>
        judge(command, { onboarding, item, verdict }, options),
    )
  onboardings
    .command('abandon <onboarding>')
    .description('end an onboarding without an admission')
    .requiredOption('--by <person>', 'id of an administrator')
    .action(async (onboarding: string, { by }: By, command: Command) => {
      await withParticipants((service) => service.abandonOnboarding(idOf(by), idOf(onboarding)))
      outputOf(command).data({ onboarding, outcome: 'abandoned' }, `abandoned ${onboarding}`)
    })
}

const withDocument = (command: Command): Command =>
  command
    .option('--file <document>', 'the document, of which the digest is taken here')
    .option('--digest <sha256>', 'of the document, where it is not on this machine')

const Named = Compile(Type.Object({ slug: SlugSchema, name: LabelSchema }))

async function open(command: Command, slug: string, { name, kind, by }: Opening): Promise<void> {
  if (!Named.Check({ slug, name }))
    throw new Refusal('validation-failed', { detail: 'the short name is of a-z, 0-9 and -; the name is one line' })
  const { onboarding } = await withParticipants((service) => service.openOnboarding(idOf(by), { slug, name, kind }))
  outputOf(command).data({ onboarding, slug, kind, missing: CHECKLIST }, onboarding)
}

async function provide(
  command: Command,
  { onboarding, item }: { onboarding: string; item: ChecklistItem },
  { by, agreement: version, signatory, ...shown }: Provided,
): Promise<void> {
  const digest = digestOf(shown)
  await withParticipants((service) =>
    service.provideItem(idOf(by), idOf(onboarding), item, { digest, version, signatory }),
  )
  outputOf(command).data({ onboarding, item, state: 'provided', digest }, `${item} provided  ${digest}`)
}

async function judge(
  command: Command,
  { onboarding, item, verdict }: { onboarding: string; item: ChecklistItem; verdict: Judgement['verdict'] },
  { by, ...shown }: Shown,
): Promise<void> {
  const digest = digestOf(shown)
  await withParticipants((service) => service.judgeItem(idOf(by), idOf(onboarding), { item, digest, verdict }))
  outputOf(command).data({ onboarding, item, state: verdict, digest }, `${item} ${verdict}`)
}

async function show(command: Command, id: string): Promise<void> {
  const one = await withParticipants((service) => service.findOnboarding(idOf(id)))
  outputOf(command).data(one, textOf(one))
}

function textOf({ onboarding, slug, name, kind, outcome, items, missing }: ListedOnboarding): string {
  const rows = CHECKLIST.map((item) => {
    const { state = 'open', digest = '', version = '', signatory = '' } = items.find((one) => one.item === item) ?? {}
    return [item, state, digest, version, signatory]
  })
  const next =
    outcome === undefined && missing.length === 0
      ? [`complete: aldis admit ${slug} --name '${name}' --kind ${kind} --onboarding ${onboarding} --by ADMIN`]
      : []
  return [`${slug}  ${kind}  ${outcome ?? 'open'}`, columns(rows), ...next].join('\n')
}

function digestOf({ file, digest }: Pick<Shown, 'file' | 'digest'>): string {
  if ((file === undefined) === (digest === undefined))
    throw new StartRefused('name the document by --file, or its SHA-256 by --digest')
  if (file === undefined) {
    const typed = (digest ?? '').toLowerCase()
    if (!/^[0-9a-f]{64}$/.test(typed))
      throw new StartRefused('--digest: SHA-256 of the document, 64 digits 0-9 and a-f')
    return typed
  }
  const bytes = readBytesIfThere(file)
  if (bytes === undefined) throw new StartRefused(`${file}: is missing`)
  return sha256(bytes).toString('hex')
}
