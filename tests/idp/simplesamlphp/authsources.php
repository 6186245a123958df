<?php
$config = [
    'people' => [
        'exampleauth:UserPass',
        'uma:umapass' => ['uid' => ['uma'], 'mail' => ['uma@example.com'], 'givenName' => ['Uma'], 'sn' => ['Unique']],
        'nobody:nopass' => ['uid' => ['nobody'], 'mail' => ['nobody@example.com']],
    ],
];
