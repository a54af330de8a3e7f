//! The desk as it runs, with the venue's stream: what happens is answered at once, and without a stream by the next look.

use ballast_venue::{hyperliquid::order_wire::Tif, instrument::Side, paper::order::NewOrder};
use tokio::{task::JoinHandle, time::timeout};

use super::*;

/// So long something is waited for that has to come.
const PATIENCE: Duration = Duration::from_secs(60);
/// So seldom that nothing comes of it within [`PATIENCE`].
const SELDOM: Duration = Duration::from_secs(600);

/// A desk that runs.
struct Running {
    scene: Scene,
    now: watch::Receiver<Arc<HedgeNow>>,
    _stop: oneshot::Sender<()>,
    desk: JoinHandle<()>,
    _heard: mpsc::Receiver<Heard>,
}

impl Running {
    /// Looks so often; the listener waits for the venue so long.
    async fn start(every: Duration, silence: Duration, faults: impl FnOnce(&mut Faults)) -> Self {
        let mut scene = Scene::new(Decimal::ZERO).await;
        scene.show(203, Found::Nothing);
        faults(&mut scene.faults.lock().unwrap());
        let (mut desk, heard, _) = scene.desk(Mode::Active);
        desk.hedge.every = every;
        // However slow the machine is.
        desk.hedge.max_snapshot_age = SELDOM;
        let listener = desk.listener.as_mut().unwrap();
        listener.silence = silence;
        listener.first_pause = Duration::from_millis(20);
        listener.longest_pause = Duration::from_millis(100);
        let now = desk.around.now.subscribe();
        let (stop, stopped) = oneshot::channel();
        Self {
            now,
            _stop: stop,
            desk: tokio::spawn(desk.run(stopped)),
            _heard: heard,
            scene,
        }
    }

    /// With looks so seldom that only the stream can be what wakes it.
    async fn by_stream() -> Self {
        Self::start(SELDOM, PATIENCE, |_| ()).await
    }

    /// Waits until what the desk shows is so. The venue's clock goes on with each look.
    async fn until(&mut self, what: &str, holds: impl Fn(&Scene, &HedgeNow) -> bool) {
        let (scene, now) = (&self.scene, &mut self.now);
        let waiting = async {
            loop {
                let shown = now.borrow_and_update().clone();
                if holds(scene, &shown) {
                    return;
                }
                now.changed().await.unwrap();
                scene.clock.advance(3_000);
            }
        };
        let came = timeout(PATIENCE, waiting).await;
        assert!(came.is_ok(), "in vain: {what}: {:?}", self.now.borrow());
    }

    async fn until_hedged(&mut self) -> Decimal {
        let of = |now: &HedgeNow| now.orders.get("filled").copied();
        self.until("it is hedged", |_, now| of(now) == Some(1))
            .await;
        self.scene.held()
    }

    async fn until_stream(&mut self, connected: bool) {
        let is = |now: &HedgeNow| {
            now.stream
                .as_ref()
                .is_some_and(|it| it.connected == connected)
        };
        let what = format!("the stream is connected: {connected}");
        self.until(&what, |_, now| is(now)).await;
    }

    /// The venue takes the position away.
    fn deleverage(&self) {
        let held = self.scene.held();
        let mut tape = self.scene.tape.lock().unwrap();
        let exchange = tape.at(self.scene.clock.now_ms());
        exchange.deleverage(self.scene.owner, 0, held, 203.into());
        drop(tape);
        self.scene.stand_in.changed();
    }

    /// Somebody else trades on the account.
    fn trade(&self, side: Side, size: Decimal) {
        let mut tape = self.scene.tape.lock().unwrap();
        let exchange = tape.at(self.scene.clock.now_ms());
        let order = NewOrder {
            account: self.scene.owner,
            asset: 0,
            side,
            price: if side == Side::Buy { 204 } else { 202 }.into(),
            size,
            tif: Tif::Ioc,
            reduce_only: false,
            cloid: None,
        };
        exchange.place(order).unwrap();
        drop(tape);
        self.scene.stand_in.changed();
    }

    fn wakes(&self) -> u64 {
        self.now.borrow().stream.as_ref().unwrap().wakes
    }
}

#[tokio::test]
async fn what_is_told_by_the_stream_is_answered_before_the_next_look() {
    let mut running = Running::by_stream().await;
    running.until_hedged().await;
    running.until_stream(true).await;
    // Its own order has woken nobody.
    assert_eq!((running.wakes(), running.scene.trades()), (0, 1));
    running.deleverage();
    let hedged = |trades| {
        move |scene: &Scene, now: &HedgeNow| {
            let (residual, _) = now.perps["SOL"].residual.unwrap();
            let net = residual + scene.held();
            scene.trades() == trades && net.abs() <= Decimal::new(11, 2)
        }
    };
    running.until("ADL is answered", hedged(3)).await;
    for (side, trades) in [(Side::Sell, 5), (Side::Buy, 7)] {
        running.trade(side, Decimal::ONE);
        let answered = format!("another's {side:?} is answered");
        running.until(&answered, hedged(trades)).await;
    }
    assert_eq!(running.wakes(), 3);
    assert!(!running.desk.is_finished());
}

#[tokio::test]
async fn an_order_without_an_answer_is_found_out_by_the_stream() {
    let mut running = Running::start(SELDOM, PATIENCE, |faults| {
        faults.force(Fault::LoseAnswer);
    })
    .await;
    // Nothing but the stream says that it was filled.
    running.until_hedged().await;
    assert_eq!((running.scene.trades(), running.wakes()), (1, 1));
}

#[tokio::test]
async fn a_stream_that_says_nothing_is_noticed_and_what_happens_is_answered_by_the_next_look() {
    let (every, silence) = (Duration::from_millis(50), Duration::from_millis(200));
    let mut running = Running::start(every, silence, |faults| faults.silent_stream = true).await;
    let held = running.until_hedged().await;
    let lost = |now: &HedgeNow| Some(now.stream.as_ref()?.lost.as_ref()?.contains("said nothing"));
    running
        .until("silence is noticed", |_, now| lost(now) == Some(true))
        .await;
    running.deleverage();
    let hedged = |scene: &Scene, _: &HedgeNow| (scene.held(), scene.trades()) == (held, 3);
    running.until("ADL is answered", hedged).await;
    assert_eq!(running.wakes(), 0);
    running.scene.faults.lock().unwrap().silent_stream = false;
    running.until_stream(true).await;
}

#[tokio::test]
async fn what_happened_while_the_stream_was_gone_is_answered_when_it_is_back() {
    let mut running = Running::by_stream().await;
    let held = running.until_hedged().await;
    running.until_stream(true).await;
    running.scene.faults.lock().unwrap().closed_stream = true;
    running.deleverage();
    running.until_stream(false).await;
    assert_eq!((running.scene.trades(), running.wakes()), (2, 0));
    running.scene.faults.lock().unwrap().closed_stream = false;
    let hedged = |scene: &Scene, _: &HedgeNow| (scene.held(), scene.trades()) == (held, 3);
    running.until("ADL is answered", hedged).await;
    assert_eq!(running.wakes(), 1);
}
