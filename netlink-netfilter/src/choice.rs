//! Sets whose table depends on a neighbour.

/// Declares what an attribute holds, by the value of the attribute beside it.
///
/// `by 3 protocol: IpProtocol` is the number of that attribute, the method that tells its value, and its type. A row is
/// `VALUE => Variant(Attrs),` under its doc comment.
macro_rules! choices {
    (
        $(#[$meta:meta])*
        pub enum $name:ident<'a> by $number:literal $key:ident: $type:ident {
            $( $(#[$vmeta:meta])* $value:path => $variant:ident($attrs:ident), )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        #[allow(clippy::large_enum_variant)] // It borrows, lives shortly and must not allocate.
        pub enum $name<'a> {
            $( $(#[$vmeta])* $variant($attrs<'a>), )*
            /// One without a table here, as it came.
            Other($type, netlink_core::Bytes<'a>),
        }

        impl<'a> $name<'a> {
            /// What the attribute beside it says.
            pub fn $key(&self) -> $type {
                match self {
                    $( Self::$variant(_) => $value, )*
                    Self::Other(key, _) => *key,
                }
            }

            fn table(scope: &netlink_core::Scope<'_>) -> Option<&'static netlink_core::Table> {
                use netlink_core::Payload as _;

                match $type::decode(scope.set.find($number)?).ok()? {
                    $( $value => Some($attrs::TABLE), )*
                    _ => None,
                }
            }
        }

        impl<'a> netlink_core::Payload<'a> for $name<'a> {
            const FLAGS: u16 = netlink_core::attr::NLA_F_NESTED;
            const RULE: netlink_core::Rule = netlink_core::Rule::select(Self::table);
            const SHAPE: netlink_core::Shape = netlink_core::Shape::Select(Self::table);

            /// Without the attribute beside it nothing is known.
            fn decode(payload: &'a [u8]) -> Result<Self, netlink_core::Malformed> {
                Ok(Self::Other($type::default(), netlink_core::Bytes(payload)))
            }

            fn of(
                attr: netlink_core::Attr<'a>,
                scope: &netlink_core::Scope<'a>,
            ) -> Result<Self, netlink_core::Malformed> {
                let key = scope.set.find($number).map($type::decode).transpose()?.unwrap_or_default();
                match key {
                    $( $value => $attrs::of(attr, scope).map(Self::$variant), )*
                    _ => Ok(Self::Other(key, netlink_core::Bytes(attr.payload))),
                }
            }

            fn encode(&self, out: &mut netlink_core::Writer) {
                match self {
                    $( Self::$variant(attrs) => attrs.encode(out), )*
                    Self::Other(_, data) => data.encode(out),
                }
            }
        }

        netlink_core::serialize! { impl ['a] for $name<'a>, |choice, fields| {
            match choice {
                $( Self::$variant(attrs) => fields.entry(stringify!($variant), attrs)?, )*
                Self::Other(_, data) => fields.entry("Other", data)?,
            }
        } }
    };
}

pub(crate) use choices;
