import type { VNode } from 'preact'
import { links } from '../links.ts'
import type { SavedView, ViewScreen } from '../saved-views.ts'
import { VIEW_NAME_MAX } from '../schema.ts'
import type { Viewer } from '../viewer.ts'
import { Button, Field, Form } from './form.tsx'
import { Icon } from './icon.tsx'

interface SavedProps {
  viewer: Viewer
  screen: ViewScreen
  saved: readonly SavedView[]
  /** The present filter as text; empty where there is none. */
  filter: string
}

/** Keeps the present filter under a name, and lists what may be forgotten. */
export const SaveView = ({ viewer, screen, saved, filter }: SavedProps): VNode | null => {
  const mine = saved.filter((one) => one.mine)
  if (filter === '' && mine.length === 0) return null
  return (
    <details class="filter save-view">
      <summary>
        {filter === '' ? 'Saved views' : 'Save view'} <Icon name="down" />
      </summary>
      <div class="filter-body">
        {filter !== '' && (
          <Form action={links.saveView()} csrf={viewer.csrf} class="stack">
            <input type="hidden" name="screen" value={screen} />
            <input type="hidden" name="filter" value={filter} />
            <Field name="name" label="Name" required maxLength={VIEW_NAME_MAX} hint={`For ${filter}`} />
            <label class="check">
              <input type="checkbox" name="shared" value="yes" /> For everybody in {viewer.organisation}
            </label>
            <Button kind="primary">Save</Button>
          </Form>
        )}
        {mine.length > 0 && (
          <ul class="rows">
            {mine.map(({ view, name, shared }) => (
              <li key={view}>
                <span>
                  {name} {shared && <span class="muted">shared</span>}
                </span>
                <Form action={links.forgetView(view)} csrf={viewer.csrf} label={`Forget ${name}`}>
                  <Button>Forget</Button>
                </Form>
              </li>
            ))}
          </ul>
        )}
      </div>
    </details>
  )
}
