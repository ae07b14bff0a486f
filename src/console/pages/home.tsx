import type { VNode } from 'preact'
import { links } from '../links.ts'
import { KeyList } from '../parts/dialogs.tsx'
import { Note } from '../parts/note.tsx'
import type { Viewer } from '../viewer.ts'

export const NoRolePage = ({ viewer }: { viewer: Viewer }): VNode => (
  <>
    <Note tone="warn" title="You have no role at present">
      <p>
        A role takes two sides: the programme grants it, and your identity provider claims it. Ask an administrator of{' '}
        {viewer.organisation} which of the two is missing. Roles that exclude each other count as none.
      </p>
    </Note>
    <p>
      Until then you find the <a href={links.log()}>state of the log</a> and your{' '}
      <a href={links.settings()}>settings</a>.
    </p>
  </>
)

export const HelpPage = ({ viewer }: { viewer: Viewer }): VNode => (
  <>
    <p>
      Everything here works with links and buttons. With a keyboard it is quicker: press <kbd class="key">?</kbd> on any
      page for its keys, and <kbd class="key">Ctrl</kbd> <kbd class="key">K</kbd> to go to a page, an action or an id by
      name.
    </p>
    <section class="part">
      <KeyList current="none" viewer={viewer} />
    </section>
  </>
)
