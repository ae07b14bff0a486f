import type { FeedbackService } from '../feedback/service.ts'
import type { FeedService } from '../feeds/service.ts'
import type { Clock } from '../kernel/clock.ts'
import type { SignalService } from '../signals/service.ts'
import type { SavedViews } from './saved-views.ts'
import { holdsOne, type Viewer } from './viewer.ts'

/** What the screens of a source stand on. */
export interface Sending
  extends Pick<
      FeedbackService,
      'sent' | 'sentFigures' | 'sentSignal' | 'attention' | 'answer' | 'answerQuestion' | 'release'
    >,
    Pick<FeedService, 'heard' | 'disputed'>,
    Pick<SignalService, 'withdraw'> {
  clock: Clock
  views: SavedViews
  /** Categories that the programme knows now. */
  categories(): readonly string[]
}

/** Who may see what their organisation sent and what became of it. */
export const SENDERS = ['analyst', 'lead', 'partner_admin'] as const
/** Who may speak for it: answer a dispute, let a held signal go. */
export const SPEAKERS = ['lead', 'partner_admin'] as const

export const maySpeak = (viewer: Pick<Viewer, 'roles'>): boolean => holdsOne(viewer, SPEAKERS)
