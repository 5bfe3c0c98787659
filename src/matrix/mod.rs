//! The request matrix: source × path × entrypoint, asked as questions or listed as cells.

mod across;
mod client;
mod crossing;
mod delivery;
mod door;
mod front;
mod judged;
mod table;
mod witness;

pub(crate) use across::{Across, Way};
pub use client::client_routes;
pub(crate) use client::{Outbound, outbound};
pub use crossing::Crossing;
pub(crate) use crossing::{arriving, sent_on, verifies};
pub use delivery::{Delivered, Delivery};
pub use door::{Door, Lock, Opening, Place, Question, ask, ask_again, doors, judge, places};
pub use front::Fronts;
pub(crate) use front::{listeners, shared_listeners};
pub use judged::Judged;
pub use table::{EntrypointKind, Part, Row, table};
pub(crate) use witness::fill;
pub use witness::{gateway_witness, inbound_witness};
