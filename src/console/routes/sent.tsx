import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { DisputeAnswer, QuestionAnswer } from '../../feedback/schema.ts'
import type { Disclosed } from '../../feeds/answer.ts'
import { Refusal } from '../../kernel/errors.ts'
import { newId, type Uuid } from '../../kernel/ids.ts'
import { BigIntSchema, SlugSchema, UuidSchema } from '../../kernel/schema.ts'
import { SignalParams, WITHDRAWAL_REASON } from '../../signals/schema.ts'
import { formReader, refusalIn, typedOf } from '../form.ts'
import { links } from '../links.ts'
import { hasEnded, SentPage } from '../pages/sent.tsx'
import { type Words, WordsShown, wordsId } from '../pages/sent-said.tsx'
import { SentSignalPage, type SentSignalView } from '../pages/sent-signal.tsx'
import { WithdrawPage, type WithdrawView } from '../pages/sent-withdraw.tsx'
import { isPart, sendPage, sendPart } from '../render.tsx'
import { readerOf } from '../reviewing.ts'
import { SENDERS, type Sending, SPEAKERS } from '../sending.ts'
import { parseSentText, readSentQuery, type SentAsked } from '../sent-filter.ts'
import { typeLabel } from '../words.ts'

const AS_SENDER = { roles: SENDERS } as const
const AS_SPEAKER = { roles: SPEAKERS } as const
const closed = { additionalProperties: false } as const
const readAnswer = formReader(DisputeAnswer)

/** What an organisation sent and what became of it. All of it is its own: only what others wrote is a read. */
export const sentRoutes: FastifyPluginAsync<{ sending: Sending }> = async (app, { sending }) => {
  app.get('/submissions', { config: AS_SENDER }, async (request, reply) => {
    const asked = readSentQuery(request.query as Record<string, unknown>)
    if (asked === undefined) throw new Refusal('invalid-query', { detail: 'start from all of your signals' })
    return showList(sending, { request, reply, asked })
  })

  app.get('/submissions/find', { config: AS_SENDER }, async (request, reply) => {
    const { text = '' } = request.query as { text?: unknown }
    const filter = typeof text === 'string' ? parseSentText(text) : undefined
    if (filter !== undefined) return reply.redirect(links.submissions(filter), 303)
    return showList(sending, { request, reply: reply.code(422), asked: { filter: {} }, unread: String(text) })
  })

  app.get('/submissions/:signal', { config: AS_SENDER, schema: { params: SignalParams } }, async (request, reply) =>
    showSignal(sending, request, reply, {}),
  )

  const WordsParams = Type.Object({ signal: UuidSchema, place: BigIntSchema }, closed)
  app.get(
    '/submissions/:signal/words/:place',
    { config: AS_SENDER, schema: { params: WordsParams } },
    async (request, reply) => {
      const place = BigInt((request.params as { place: string }).place)
      const given = await sending.heard(readerOf(request.viewer, request.routeOptions.url), place)
      return showWords(sending, { request, reply, given, id: wordsId(place) })
    },
  )

  await app.register(disputeRoutes, { sending })
  await app.register(questionRoutes, { sending })
  await app.register(withdrawRoutes, { sending })

  app.post(
    '/submissions/:signal/release',
    { config: AS_SPEAKER, schema: { params: SignalParams } },
    async (request, reply) => {
      const signal = signalOf(request)
      const refusal = await refusalIn(() => sending.release(speakerOf(request), signal))
      if (refusal !== undefined)
        return showSignal(sending, request, reply.code(refusal.status), { refused: { refusal, typed: {} } })
      return reply.redirect(links.submission(signal), 303)
    },
  )
}

const disputeRoutes: FastifyPluginAsync<{ sending: Sending }> = async (app, { sending }) => {
  const params = Type.Object({ signal: UuidSchema, dispute: UuidSchema }, closed)

  app.get(
    '/submissions/:signal/disputes/:dispute/words',
    { config: AS_SENDER, schema: { params } },
    async (request, reply) => {
      const of = request.params as { signal: Uuid; dispute: Uuid }
      const given = await sending.disputed(readerOf(request.viewer, request.routeOptions.url), of)
      return showWords(sending, { request, reply, given, id: wordsId(of.dispute) })
    },
  )

  app.post(
    '/submissions/:signal/disputes/:dispute/answer',
    { config: AS_SPEAKER, schema: { params } },
    async (request, reply) => {
      const { signal, dispute } = request.params as { signal: Uuid; dispute: Uuid }
      const typed = typedOf(request.body)
      const refusal = await refusalIn(async () => {
        const { note, ...fields } = typed
        const text = note?.replaceAll('\r\n', '\n').trim()
        const answer = readAnswer({ ...fields, ...(text !== undefined && text !== '' && { note: text }) })
        return sending.answer(speakerOf(request), dispute, answer)
      })
      if (refusal !== undefined)
        return showSignal(sending, request, reply.code(refusal.status), { refused: { dispute, refusal, typed } })
      return reply.redirect(links.submission(signal), 303)
    },
  )
}

const readQuestionAnswer = formReader(QuestionAnswer)

const questionRoutes: FastifyPluginAsync<{ sending: Sending }> = async (app, { sending }) => {
  const params = Type.Object({ signal: UuidSchema, asker: SlugSchema }, closed)
  app.post(
    '/submissions/:signal/questions/:asker/answer',
    { config: AS_SPEAKER, schema: { params } },
    async (request, reply) => {
      const { signal, asker } = request.params as { signal: Uuid; asker: string }
      const typed = typedOf(request.body)
      const refusal = await refusalIn(async () => {
        const note = typed['note']?.replaceAll('\r\n', '\n').trim() ?? ''
        await sending.answerQuestion(speakerOf(request), { signal, asker }, readQuestionAnswer({ ...typed, note }))
      })
      if (refusal !== undefined)
        return showSignal(sending, request, reply.code(refusal.status), { refused: { asker, refusal, typed } })
      return reply.redirect(links.submission(signal), 303)
    },
  )
}

const readWithdrawal = formReader(
  Type.Object(
    { reason: Type.Enum([...WITHDRAWAL_REASON]), revision: Type.String({ pattern: '^[1-9][0-9]{0,6}$' }) },
    closed,
  ),
)

/** An end on the word of a person; what it would do stands on the page before. */
const withdrawRoutes: FastifyPluginAsync<{ sending: Sending }> = async (app, { sending }) => {
  const path = '/submissions/:signal/withdraw'
  const options = { config: AS_SPEAKER, schema: { params: SignalParams } }

  const show = async (request: FastifyRequest, reply: FastifyReply, refused?: WithdrawView['refused']) => {
    const { viewer, routeOptions } = request
    const one = await sending.sentSignal(readerOf(viewer, routeOptions.url).participant, signalOf(request))
    // Of what is over there is nothing to decide.
    if (hasEnded(one) && refused === undefined) return reply.redirect(links.submission(one.signal), 303)
    const back = { href: links.submission(one.signal), label: 'The signal' }
    return sendPage(
      reply,
      { viewer, title: 'Withdraw a signal', current: 'submissions', back, styles: ['review.css', 'sent.css'] },
      <WithdrawPage {...{ viewer, one }} {...(refused !== undefined && { refused })} />,
    )
  }

  app.get(path, options, async (request, reply) => show(request, reply))

  app.post(path, options, async (request, reply) => {
    const signal = signalOf(request)
    const refusal = await refusalIn(() => {
      const { reason, revision } = readWithdrawal(request.body)
      return sending.withdraw(speakerOf(request), { signal, reason, revision: Number(revision) })
    })
    if (refusal === undefined) return reply.redirect(links.submission(signal), 303)
    return show(request, reply.code(refusal.status), { refusal, reason: typedOf(request.body)['reason'] })
  })
}

const signalOf = ({ params }: FastifyRequest): Uuid => (params as { signal: Uuid }).signal

/** The organisation, and who of it decided. */
function speakerOf({ viewer, routeOptions }: FastifyRequest) {
  const { participant, slug } = readerOf(viewer, routeOptions.url)
  return { participant, slug, person: viewer.person }
}

interface Showing {
  request: FastifyRequest
  reply: FastifyReply
  asked: SentAsked
  /** A filter that was not understood, as it was typed. */
  unread?: string
}

async function showList(sending: Sending, { request, reply, asked, unread }: Showing): Promise<FastifyReply> {
  const { viewer, routeOptions } = request
  const { participant } = readerOf(viewer, routeOptions.url)
  const { filter, cursor } = asked
  const query = { ...filter, ...(cursor !== undefined && { cursor }) }
  const [figures, attention] = [await sending.sentFigures(participant), await sending.attention(participant)]
  const page = unread === undefined ? await sending.sent(participant, query) : { signals: [], next: null }
  return sendPage(
    reply,
    {
      viewer,
      title: 'My submissions',
      current: 'submissions',
      styles: ['review.css', 'sent.css'],
      scripts: ['reveal.js'],
    },
    <SentPage
      {...{ viewer, saved: await sending.views.of(viewer, 'submissions') }}
      {...{ filter, figures, attention, signals: page.signals, now: sending.clock(), categories: sending.categories() }}
      {...(unread !== undefined && { unread })}
      first={cursor === undefined ? undefined : links.submissions(filter)}
      next={page.next === null ? undefined : links.submissions({ ...filter, cursor: page.next })}
    />,
  )
}

async function showSignal(
  sending: Sending,
  request: FastifyRequest,
  reply: FastifyReply,
  shown: Pick<SentSignalView, 'words' | 'refused'>,
): Promise<FastifyReply> {
  const { viewer, routeOptions } = request
  const one = await sending.sentSignal(readerOf(viewer, routeOptions.url).participant, signalOf(request))
  const now = sending.clock()
  const page = {
    viewer,
    title: `${typeLabel(one.type)} that you sent`,
    current: 'submissions',
    styles: ['review.css', 'sent.css'],
    scripts: ['reveal.js'],
  } as const
  return sendPage(reply, page, <SentSignalPage {...{ viewer, one, now, once: newId(now), ...shown }} />)
}

interface ShowingWords {
  request: FastifyRequest
  reply: FastifyReply
  given: Disclosed
  id: string
}

function showWords(
  sending: Sending,
  { request, reply, given, id }: ShowingWords,
): Promise<FastifyReply> | FastifyReply {
  const words = wordsIn(given.body, id)
  if (isPart(request)) return sendPart(reply, <WordsShown words={words} />)
  return showSignal(sending, request, reply, { words })
}

interface HeardEvent {
  source: string
  data?: Omit<Words, 'id' | 'source' | 'counts' | 'single_reviewed'> &
    Partial<Pick<Words, 'counts' | 'single_reviewed'>>
}

/** The event as it was told; what is not of the words' kind is left out. */
function wordsIn(body: string, id: string): Words {
  const { source, data = {} } = JSON.parse(body) as HeardEvent
  const { authority, reason, ground, note, category_suggested, single_reviewed = false, counts = {} } = data
  return {
    ...{ id, source, counts },
    ...(authority !== undefined && { authority }),
    single_reviewed,
    ...(reason !== undefined && { reason }),
    ...(ground !== undefined && { ground }),
    ...(note !== undefined && { note }),
    ...(category_suggested !== undefined && { category_suggested }),
  }
}
