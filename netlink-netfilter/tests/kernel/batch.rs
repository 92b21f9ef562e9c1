//! Transactions with messages of nftables: all or nothing, and a position for each refused message.

use netlink_core::{Be, Connection, Dump, Errno, MessageFlags, Str, attrs, message};
use netlink_netfilter::batch::{self, Aborted, Transaction};
use netlink_netfilter::{Error, Family, Header, Subsystem, connect};
use netlink_testing::{Result, program, seconds, suite};

use crate::{nft, run};

suite! {
    all_messages_are_done: program("nft");
    a_refused_message_is_named_and_all_is_undone: program("nft");
    another_generation_is_reported: program("nft");
    connections_have_no_transactions;
    an_empty_one_does_nothing;
    an_invalid_message_has_a_position_too;
    thousands_of_messages: program("nft"), seconds(180);
    thousands_of_refusals: program("nft"), seconds(180);
    on_a_reactor: program("nft");
}

attrs! {
    /// Tables.
    pub struct TableAttrs<'a> for TableRequest<R> {
        /// Its name.
        1 NFTA_TABLE_NAME name: Str<'a>,
    }
}

message! {
    /// Tables.
    pub struct Table<'a>(Header, TableAttrs<'a>), TableRequest {
        /// Makes a table.
        2560 NFT_MSG_NEWTABLE NEW,
        /// Asks for tables.
        2561 NFT_MSG_GETTABLE GET,
        /// Deletes a table.
        2562 NFT_MSG_DELTABLE DEL,
    }
}

attrs! {
    /// Chains.
    pub struct ChainAttrs<'a> for ChainRequest<R> {
        /// Its table.
        1 NFTA_CHAIN_TABLE table: Str<'a>,
        /// Its name.
        3 NFTA_CHAIN_NAME name: Str<'a>,
    }
}

message! {
    /// Chains.
    pub struct Chain<'a>(Header, ChainAttrs<'a>), ChainRequest {
        /// Makes a chain.
        2563 NFT_MSG_NEWCHAIN NEW,
    }
}

attrs! {
    /// Generations.
    pub struct GenAttrs<'a> for GenRequest<R> {
        /// The number.
        1 NFTA_GEN_ID id: Be<u32> as u32,
    }
}

message! {
    /// Generations.
    pub struct Gen<'a>(Header, GenAttrs<'a>), GenRequest {
        /// The answer.
        2575 NFT_MSG_NEWGEN NEW,
        /// Asks for the generation.
        2576 NFT_MSG_GETGEN GET,
    }
}

fn table(name: &str) -> TableRequest<()> {
    TableRequest::new(&Table::NEW, MessageFlags::CREATE | MessageFlags::EXCL, Header::of(Family::IPV4))
        .name(name)
}

fn chain(table: &str, name: &str) -> ChainRequest<()> {
    ChainRequest::new(&Chain::NEW, MessageFlags::CREATE, Header::of(Family::IPV4)).table(table).name(name)
}

fn tables() -> TableRequest<Dump<Table<'static>>> {
    TableRequest::new(&Table::GET, MessageFlags::DUMP, Header::default())
}

fn genid(nl: &mut Connection) -> Result<u32> {
    let request = GenRequest::<Gen<'static>>::new(&Gen::GET, MessageFlags::empty(), Header::default());
    Ok(nl.call(request)?.id().unwrap())
}

fn all_messages_are_done() -> Result {
    let mut nl = connect()?;
    let mut transaction = Transaction::new(Subsystem::NFTABLES);
    transaction.push(table("a"));
    transaction.push(chain("a", "c"));
    transaction.push(table("b"));
    transaction.commit(&mut nl)?;
    assert_eq!(run("nft list tables")?, "table ip a\ntable ip b\n");
    assert!(run("nft list table a")?.contains("chain c"));
    // No message remains that could confuse the next call.
    assert_eq!(nl.dump(tables())?.collect()?.len(), 2);
    let mut again = Transaction::new(Subsystem::NFTABLES);
    again.push(table("c"));
    again.commit(&mut nl)?;
    assert_eq!(nl.dump(tables())?.collect()?.len(), 3);
    Ok(())
}

fn a_refused_message_is_named_and_all_is_undone() -> Result {
    let mut nl = connect()?;
    let mut transaction = Transaction::new(Subsystem::NFTABLES);
    transaction.push(table("a"));
    transaction.push(chain("missing", "c"));
    transaction.push(table("b"));
    transaction.push(table("a"));
    transaction.push(chain("a", "d"));
    let aborted = transaction.commit(&mut nl).unwrap_err();
    assert!(aborted.whole.is_none(), "{aborted}");
    assert_eq!(aborted.messages.len(), 5);
    let refused: Vec<_> = aborted.refused().map(|(at, error)| (at, error.errno())).collect();
    assert_eq!(refused, [(1, Some(Errno::ENOENT)), (3, Some(Errno::EEXIST))]);
    let text = aborted.to_string();
    assert!(
        text.starts_with("message 1 of 5: NFT_MSG_NEWCHAIN: No such file or directory (ENOENT)"),
        "{text}"
    );
    assert!(text.contains("at NFTA_CHAIN_TABLE = \"missing\""), "{text}");
    assert!(text.contains("message 3 of 5: NFT_MSG_NEWTABLE: File exists (EEXIST)"), "{text}");
    assert_eq!(nl.dump(tables())?.collect()?.len(), 0);

    // The first, the last and the only one.
    for (names, at) in [(["missing", "a"], 0), (["a", "missing"], 1)] {
        let mut transaction = Transaction::new(Subsystem::NFTABLES);
        for name in names {
            if name == "missing" { transaction.push(chain(name, "c")) } else { transaction.push(table(name)) }
        }
        let aborted = transaction.commit(&mut nl).unwrap_err();
        assert_eq!(aborted.refused().map(|(at, _)| at).collect::<Vec<_>>(), [at]);
    }
    let mut only = Transaction::new(Subsystem::NFTABLES);
    only.push(chain("missing", "c"));
    assert_eq!(only.commit(&mut nl).unwrap_err().refused().count(), 1);
    assert_eq!(nl.dump(tables())?.collect()?.len(), 0);
    Ok(())
}

fn another_generation_is_reported() -> Result {
    let mut nl = connect()?;
    nft("table ip other { }\n")?;
    let genid = genid(&mut nl)?;
    nft("table ip another { }\n")?;
    let mut outdated = Transaction::new(Subsystem::NFTABLES).genid(genid);
    outdated.push(table("a"));
    outdated.push(table("b"));
    let aborted = outdated.commit(&mut nl).unwrap_err();
    assert!(aborted.is_outdated() && aborted.refused().next().is_none(), "{aborted}");
    assert!(aborted.to_string().starts_with("NFNL_MSG_BATCH_BEGIN: "), "{aborted}");
    assert_eq!(nl.dump(tables())?.collect()?.len(), 2);
    let mut current = Transaction::new(Subsystem::NFTABLES).genid(self::genid(&mut nl)?);
    current.push(table("a"));
    current.commit(&mut nl)?;
    assert_eq!(nl.dump(tables())?.collect()?.len(), 3);
    Ok(())
}

fn connections_have_no_transactions() -> Result {
    let mut nl = connect()?;
    let mut transaction = Transaction::new(Subsystem::CTNETLINK);
    transaction.push(crate::make(&crate::flow(1)));
    let aborted = transaction.commit(&mut nl).unwrap_err();
    assert!(aborted.whole.as_ref().is_some_and(Error::is_unsupported), "{aborted}");
    assert!(nl.call(netlink_netfilter::conntrack::get(&crate::flow(1))).unwrap_err().is_not_found());
    Ok(())
}

fn an_empty_one_does_nothing() -> Result {
    let mut nl = connect()?;
    Transaction::new(Subsystem::NFTABLES).commit(&mut nl)?;
    Ok(())
}

fn an_invalid_message_has_a_position_too() -> Result {
    let mut nl = connect()?;
    let mut transaction = Transaction::new(Subsystem::NFTABLES);
    transaction.push(table("a"));
    transaction.push(table("b\0c"));
    let aborted = transaction.commit(&mut nl).unwrap_err();
    let refused: Vec<_> = aborted.refused().collect();
    assert!(matches!(refused[..], [(1, Error::Request(_))]), "{aborted}");
    assert_eq!(nl.dump(tables())?.collect()?.len(), 0);
    Ok(())
}

/// More than the default send buffer.
fn thousands_of_messages() -> Result {
    let mut nl = connect()?;
    let mut transaction = Transaction::new(Subsystem::NFTABLES);
    transaction.push(table("a"));
    for n in 0..10_000 {
        transaction.push(chain("a", &format!("chain-{n}")));
    }
    assert_eq!(transaction.len(), 10_001);
    transaction.commit(&mut nl)?;
    assert_eq!(run("nft list table a")?.matches("chain chain-").count(), 10_000);
    Ok(())
}

fn refusals_of(aborted: &Aborted) -> Vec<usize> {
    aborted.refused().map(|(at, _)| at).collect()
}

/// More errors than a receive buffer holds: those that arrive are right, and nothing was executed.
fn thousands_of_refusals() -> Result {
    let mut nl = connect()?;
    let mut transaction = Transaction::new(Subsystem::NFTABLES);
    transaction.push(table("a"));
    for n in 0..10_000 {
        transaction.push(chain("missing", &format!("chain-{n}")));
    }
    let aborted = transaction.commit(&mut nl).unwrap_err();
    let refused = refusals_of(&aborted);
    assert!(refused.is_empty() == aborted.whole.is_some(), "{aborted}");
    assert!(refused.iter().enumerate().all(|(n, at)| *at == n + 1));
    let mut few = Transaction::new(Subsystem::NFTABLES);
    few.push(table("b"));
    few.push(chain("missing", "c"));
    assert_eq!(refusals_of(&few.commit(&mut nl).unwrap_err()), [1]);
    assert_eq!(nl.dump(tables())?.collect()?.len(), 0);
    Ok(())
}

fn on_a_reactor() -> Result {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut nl = netlink_netfilter::tokio::connect()?;
        let mut transaction = Transaction::new(Subsystem::NFTABLES);
        transaction.push(table("a"));
        transaction.push(chain("a", "c"));
        batch::tokio::commit(&transaction, &mut nl).await?;
        let aborted = batch::tokio::commit(&transaction, &mut nl).await.unwrap_err();
        assert_eq!(refusals_of(&aborted), [0]);
        assert_eq!(nl.dump(tables()).await?.collect().await?.len(), 1);
        Ok(())
    })
}
