//! What must happen although nobody calls: kept SAML responses and removed keys are wiped when their time is over, and rows
//! that ended are swept out (sessions, pending requests, used assertions); until then they are refused by
//! their times.

use crate::desk::appliance::Appliance;
use crate::error::Result;
use crate::model::Mode;
use crate::store::Sweep;

/// How long what has ended stays: a clock that was set right by less brings no used assertion back to life.
const STAYS_SECONDS: i64 = 3_600;

impl Appliance {
    /// Wipes and sweeps what is over, and ends what imports and deleted groups left behind. To be called about once a minute.
    ///
    /// # Errors
    /// Those of the store.
    pub fn keep_house(&self) -> Result<()> {
        let now = self.ground.clock.now();
        let wiped = self.ground.store.write_promised(now, |w| {
            w.wipe_kept_responses()?;
            w.forget_removed_sso_keys()
        });
        wiped.wait()?;
        self.people.end_imports()?;
        self.people.sweep_groups()?;
        // A lab's clock goes back and forth: what is over there can come again.
        if self.ground.mode == Mode::Production {
            let before = now.plus_seconds(-STAYS_SECONDS);
            let mut sweep = Sweep::new(before);
            while let Some(ended) = self.ground.store.read(|r| r.next_ended(&mut sweep))? {
                self.ground.store.write_promised(now, move |w| w.remove_ended(&ended)).wait()?;
            }
        }
        Ok(())
    }
}
