import type { VNode } from 'preact'
import { keysFor } from '../keys.ts'
import { links } from '../links.ts'
import type { Section } from '../sections.ts'
import type { Viewer } from '../viewer.ts'
import { sectionsOf } from './nav.tsx'
import { useKey } from './own-keys.tsx'
import { Key } from './text.tsx'

const Pressed = ({ usual }: { usual: string }): VNode => <Key>{useKey(usual)}</Key>

/** The keys that act on this page, and where `g` leads. */
export const KeyList = ({ current, viewer }: { current: Section; viewer: Viewer }): VNode => (
  <div class="keys">
    {keysFor(current).map(({ title, keys }) => (
      <section key={title}>
        <h3>{title}</h3>
        <dl>
          {keys.map(({ press, does }) => (
            <div key={does}>
              <dt>
                {press.map((one) => (
                  <Pressed key={one} usual={one} />
                ))}
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
      </section>
    ))}
    <section>
      <h3>Go to</h3>
      <dl>
        {sectionsOf(viewer).map(([name, { title, key }]) => (
          <div key={name}>
            <dt>
              <Key>g</Key>
              <Key>{key}</Key>
            </dt>
            <dd>{title}</dd>
          </div>
        ))}
      </dl>
    </section>
  </div>
)

/** Opened by `?`; the same is a page of its own for who has no JavaScript. */
export const HelpDialog = ({ current, viewer }: { current: Section; viewer: Viewer }): VNode => (
  <dialog id="help" aria-labelledby="help-title" class="dialog dialog-wide">
    <h2 id="help-title">Keys</h2>
    <KeyList current={current} viewer={viewer} />
    <form method="dialog" class="dialog-end">
      <span class="muted">Single keys act outside of fields alone; Settings turns them off.</span>
      <button type="submit" class="button button-plain">
        Close
      </button>
    </form>
  </dialog>
)

/** Filled by `palette.ts` from what the page can do. */
export const PaletteDialog = (): VNode => (
  <dialog id="palette" aria-label="Go to" class="dialog palette">
    <input
      type="text"
      id="palette-input"
      role="combobox"
      aria-label="Page, action or id"
      aria-controls="palette-list"
      aria-expanded={true}
      aria-autocomplete="list"
      placeholder="Page, action or id"
      autoComplete="off"
      spellcheck={false}
    />
    <div id="palette-list" role="listbox" aria-label="Found" />
    <p class="muted palette-hint">
      <Key>↑</Key> <Key>↓</Key> choose · <Key>Enter</Key> open · <Key>Esc</Key> close
    </p>
  </dialog>
)

/** Keeps the page, and what was typed in it, while the person signs in elsewhere. */
export const SessionDialog = (): VNode => (
  <dialog id="session-ended" aria-labelledby="session-title" class="dialog">
    <h2 id="session-title">Your session has ended</h2>
    <p>Nothing was sent, and what you typed is still on this page. Sign in in a new tab, come back here and go on.</p>
    <div class="dialog-end">
      <a class="button button-primary" href={links.signIn()} target="_blank" rel="noopener">
        Sign in in a new tab
      </a>
      <form method="dialog">
        <button type="submit" class="button button-plain">
          Back to the page
        </button>
      </form>
    </div>
  </dialog>
)
