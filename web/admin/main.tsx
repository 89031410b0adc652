import { render } from 'preact'
import '../ui/styles/index.css'
import './admin.css'
import { siteRoot } from '../ui/site-address.ts'
import { AdminPage } from './AdminPage.tsx'

render(<AdminPage root={siteRoot(location.href, '../')} />, document.getElementById('app') ?? document.body)
