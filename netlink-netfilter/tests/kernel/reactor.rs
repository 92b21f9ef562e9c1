use netlink_testing::suite;
suite! {}
