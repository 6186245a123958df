//! What must happen although nobody calls: what imports and deleted groups left behind is taken away, and what is over is
//! swept out, as the one table of `store/sweep.rs` says.

use crate::desk::appliance::Appliance;
use crate::error::Result;
use crate::store::Sweep;

impl Appliance {
    /// Ends what imports and deleted groups left behind, and sweeps out what is over. To be called about once a minute.
    ///
    /// # Errors
    /// Those of the store.
    pub fn keep_house(&self) -> Result<()> {
        self.people.end_imports()?;
        self.people.sweep_groups()?;
        let now = self.ground.clock.now();
        let mut sweep = Sweep::new(now, self.ground.mode);
        while let Some(ended) = self.ground.store.read(|r| r.next_ended(&mut sweep))? {
            self.ground.store.write_promised(now, move |w| w.remove_ended(&ended)).wait()?;
        }
        Ok(())
    }
}
